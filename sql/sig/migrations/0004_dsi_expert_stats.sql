-- Weekly judgement of micro-experts; the weights and states proposed are not in force until a release takes them.
CREATE TABLE dsi_expert_stats (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday of the judgement, of the seven days before it
    expert_id      text NOT NULL,
    asset          text NOT NULL,                          -- '' = all assets
    spec_id        text NOT NULL,
    calls          integer NOT NULL,                       -- decided ones
    reliability    double precision NOT NULL CHECK (reliability BETWEEN 0 AND 1),  -- 1/2 = calls earn nothing
    reliability_low  double precision NOT NULL CHECK (reliability_low BETWEEN 0 AND 1),
    reliability_high double precision NOT NULL CHECK (reliability_high BETWEEN 0 AND 1),
    below_floor    integer NOT NULL,                       -- evaluations in turn
    twin           text NOT NULL,                          -- the more reliable expert that says the same, or ''
    weight         double precision NOT NULL,              -- in force
    weight_proposed double precision NOT NULL,
    status_proposed text NOT NULL CHECK (status_proposed IN ('active', 'off')),
    proposal       text NOT NULL,                          -- version of weights and calibration, '' = none
    PRIMARY KEY (branch, day, expert_id, asset)
);
