-- Lists of segments by the day from which they hold: flags of each coin, made on a Monday. Append-only; the newest holds.
CREATE TABLE segments (
    branch         text NOT NULL,
    from_day       text NOT NULL,
    judged_day     text NOT NULL,                          -- the Monday whose days it was made of
    set_ver        text NOT NULL,                          -- hash of coins and flags
    origin         text NOT NULL CHECK (origin IN ('distilled', 'shipped')),
    texts          jsonb NOT NULL,                         -- flags by coin
    agreement      double precision NOT NULL CHECK (agreement BETWEEN 0 AND 1),  -- of the distilled list with the states
    body           jsonb NOT NULL,                         -- states, criterion by count, share of each label
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, from_day)
);
