-- Which version of the priors is in force when.
CREATE TABLE {mod}_priors_in_force (
    branch             text NOT NULL,
    day                text NOT NULL,                      -- UTC day of effective_from_ms
    priors_ver         text NOT NULL,
    effective_from_ms  bigint NOT NULL,
    event_id           text NOT NULL,                      -- the PRIOR_PATCH that brought it
    PRIMARY KEY (branch, effective_from_ms),
    FOREIGN KEY (branch, priors_ver) REFERENCES {mod}_priors (branch, priors_ver)
);

-- What was learned about knobs, and what the nights used up: slots, audits, evidence of every knob.
CREATE TABLE {mod}_lessons (
    branch             text NOT NULL,
    day                text NOT NULL,
    lesson_id          text NOT NULL,
    body               jsonb NOT NULL,
    PRIMARY KEY (branch, day, lesson_id)
);

CREATE TABLE {mod}_experiments (
    branch             text NOT NULL,
    day                text NOT NULL,
    kind               text NOT NULL,
    name               text NOT NULL,
    body               jsonb NOT NULL,
    PRIMARY KEY (branch, day, kind, name)
);
