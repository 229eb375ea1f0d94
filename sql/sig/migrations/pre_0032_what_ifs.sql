-- What was asked of stored days and what came of it, never changed; the level of an answer follows from its number.
CREATE TABLE what_ifs (
    branch         text NOT NULL,
    what_if_id     text NOT NULL,                          -- hash of the change, the days and their outcomes
    number         integer NOT NULL CHECK (number >= 1),   -- among the questions on days that overlap
    from_day       text NOT NULL,
    to_day         text NOT NULL,
    change         text NOT NULL CHECK (change <> ''),     -- in words
    body           jsonb NOT NULL,                         -- change, log, tape
    git_sha        text NOT NULL DEFAULT 'unknown',        -- commit that made the row, in no content hash
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, what_if_id),
    CHECK (from_day <= to_day)
);
CREATE INDEX what_ifs_days ON what_ifs (branch, to_day);
