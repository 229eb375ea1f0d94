-- Every candidate detector ever charged a trial, by what it computes; the count of all of them never falls. Append-only.
CREATE TABLE candidate_trials (
    candidate_id   text PRIMARY KEY,                       -- canonical id: up to names, order, sign; with the horizon
    number         integer NOT NULL UNIQUE CHECK (number >= 1),  -- N with it, over all branches and origins
    branch         text NOT NULL,
    night          text NOT NULL,                          -- last day of the span that it was first scored on
    run            text NOT NULL,                          -- who charged it
    generation     integer NOT NULL CHECK (generation >= 0),
    origin         text NOT NULL CHECK (origin IN ('breed', 'llm', 'person')),
    operator       text NOT NULL CHECK (operator <> ''),
    horizon_s      integer NOT NULL CHECK (horizon_s >= 1),
    expression     text NOT NULL CHECK (expression <> ''),
    parents        jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX candidate_trials_run ON candidate_trials (run, number);

-- Steps from a found candidate to a simpler one, and attacks on it: what was tried, what it kept of T. Append-only.
CREATE TABLE candidate_refinements (
    run            text NOT NULL,
    parent_id      text NOT NULL,
    candidate_id   text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('ablation', 'attack')),
    expression     text NOT NULL,
    t_before       double precision NOT NULL,
    t_after        double precision NOT NULL,
    taken          boolean NOT NULL,
    PRIMARY KEY (run, parent_id, candidate_id, kind)
);

-- The life of candidates: each state with the number that decided and its bound. Append-only; the newest row is in force.
CREATE TABLE candidate_life (
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    run            text NOT NULL,
    night          text NOT NULL,
    state          text NOT NULL CHECK (state IN ('proposed', 'refused', 'screened')),
    check_name     text NOT NULL,
    value          double precision NOT NULL,
    bound          double precision NOT NULL,
    reason         text NOT NULL,
    body           jsonb NOT NULL,                         -- proposed: specification, T, days, folds, size
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, candidate_id, run, state)
);
CREATE INDEX candidate_life_newest ON candidate_life (branch, night DESC, candidate_id);
