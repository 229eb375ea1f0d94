-- What people wish of the overlay curator: acts, never changed; one that lifts another names it.
CREATE TABLE dm_wishes (
    branch         text NOT NULL,
    act_id         text NOT NULL,
    coin           text NOT NULL,
    log            double precision NOT NULL,              -- of the factor of a coin's expectation
    author         text NOT NULL,
    reason         text NOT NULL,
    from_day       text NOT NULL,                          -- event time, YYYY-MM-DD
    until_day      text NOT NULL,                          -- first day without it
    lifts          text NOT NULL DEFAULT '',               -- act that counts no more; then nothing else does
    event_id       text NOT NULL,                          -- message that brought it
    PRIMARY KEY (branch, act_id)
);
CREATE INDEX dm_wishes_by_day ON dm_wishes (branch, until_day);
