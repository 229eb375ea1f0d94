-- The registry of micro-experts: every spec that ran, what it counted in the fusion, and how reliable it has been.
CREATE TABLE dsi_experts (
    expert_id       text NOT NULL,
    spec_id         text NOT NULL,                          -- hash of the spec
    version         integer NOT NULL,
    kind            text NOT NULL,
    spec            jsonb NOT NULL,
    place           integer NOT NULL,                       -- bit of `fired`
    weight          double precision NOT NULL,              -- of z in micro_llr
    vote            double precision NOT NULL,              -- of f in mx_confirm
    status          text NOT NULL CHECK (status IN ('active', 'off')),
    successes       double precision,                       -- Beta posterior of the label, null until it is judged
    failures        double precision,
    reliability     double precision CHECK (reliability BETWEEN 0 AND 1),
    reliability_low double precision CHECK (reliability_low BETWEEN 0 AND 1),
    reliability_high double precision CHECK (reliability_high BETWEEN 0 AND 1),
    judged_day      text,
    PRIMARY KEY (expert_id, spec_id)
);
