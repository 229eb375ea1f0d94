-- How sure reviewers are of their acts, and what braids were worth after them.
ALTER TABLE braid_reviews ADD COLUMN confidence double precision CHECK (confidence BETWEEN 0 AND 1);

-- What braids were worth after people spoke about them, by day: a braid as it acted, or as it would have. From Mondays.
CREATE TABLE review_values (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    module         text NOT NULL CHECK (module IN ('sig', 'dm', 'tr')),
    act_id         text NOT NULL,                          -- of braid_reviews of that module
    of_day         text NOT NULL,                          -- learning day that was looked at
    windows        bigint NOT NULL,                        -- of the rule that it moved, or plans that tried its knob
    value_bps      double precision NOT NULL,              -- sum over them of what the braid adds
    PRIMARY KEY (branch, module, act_id, of_day)
);
CREATE INDEX review_values_day ON review_values (branch, day);
