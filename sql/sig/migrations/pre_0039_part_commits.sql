-- Blocks of symbols of a day's stage that are finished, before the day is: the first content wins, and the day's commit
-- takes their rows away.
CREATE TABLE part_commits (
    branch         text NOT NULL,
    day            text NOT NULL,
    stage          text NOT NULL,
    block          text NOT NULL,                          -- its number and of how many
    inputs_hash    text NOT NULL,                          -- of code and all that it read
    content_hash   text NOT NULL,
    rows           bigint NOT NULL,
    notes          jsonb NOT NULL DEFAULT '{}',
    committed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, day, stage, block, inputs_hash)
);
