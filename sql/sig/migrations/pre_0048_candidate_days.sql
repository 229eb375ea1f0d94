-- Forward days of candidates that may enter: what the day gave, the gate after it. Append-only; the newest row is in force.
CREATE TABLE candidate_days (
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    day            text NOT NULL,                          -- on which the longest horizon of its windows matured
    gain_bps       double precision NOT NULL,
    weight         double precision NOT NULL,
    spoken         integer NOT NULL CHECK (spoken >= 0),
    variance       double precision NOT NULL CHECK (variance > 0),
    sums           jsonb NOT NULL,
    e_value        double precision NOT NULL,
    peak           double precision NOT NULL,
    days           integer NOT NULL CHECK (days >= 1),
    all_spoken     integer NOT NULL,
    state          text NOT NULL CHECK (state IN ('shadow', 'shown', 'not_shown')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, candidate_id, day)
);
