-- Detectors that candidates became, in force by day; the newest judgement for a day holds. Append-only.
CREATE TABLE detector_sets (
    branch         text NOT NULL,
    from_day       text NOT NULL,
    judged_day     text NOT NULL CHECK (judged_day < from_day),
    set_ver        text NOT NULL,
    texts          jsonb NOT NULL,                         -- specifications, in the order of their settlement
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, from_day, judged_day, set_ver)
);

-- What became of candidates after their days to come: settled, renewed, archived, vetoed, with the number that decided. Append-only.
CREATE TABLE candidate_steps (
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    day            text NOT NULL,                          -- judged on what was known with it
    step           text NOT NULL CHECK (step IN ('settled', 'refused', 'renewed', 'archived', 'vetoed')),
    check_name     text NOT NULL,
    value          double precision NOT NULL,
    bound          double precision NOT NULL,
    reason         text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, candidate_id, day, step)
);
