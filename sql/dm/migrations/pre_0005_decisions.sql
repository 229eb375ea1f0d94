-- What was decided, and what the decision-maker knows of its sources and executors day by day.
CREATE TABLE dm_decisions (
    decision_id    text PRIMARY KEY,
    branch         text NOT NULL,
    lifecycle_id   text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('probe', 'book')),
    time_ms        bigint NOT NULL,                        -- event time
    ticket         jsonb NOT NULL                          -- dm-decision-1.0
);
CREATE INDEX dm_decisions_by_time ON dm_decisions (branch, time_ms);

CREATE TABLE dm_knowledge (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- last day of the evidence, YYYY-MM-DD
    kind           text NOT NULL CHECK (kind IN ('calibration', 'reliability', 'executor')),
    name           text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, kind, name)
);
