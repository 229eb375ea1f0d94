-- What experts cost: nanoseconds a frame, measured on a fixture; once a week and machine, never measured again for it.
CREATE TABLE dsi_expert_costs (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    expert_id      text NOT NULL,
    spec_id        text NOT NULL,
    nodes          integer NOT NULL,                       -- of its expressions in the program of all experts
    cost_ns        double precision NOT NULL CHECK (cost_ns >= 0),      -- its Shapley share of all nodes, ns a frame
    marginal_ns    double precision NOT NULL CHECK (marginal_ns >= 0),  -- of nodes that nobody else uses, ns a frame
    latency_p50_ns double precision NOT NULL CHECK (latency_p50_ns >= 0),  -- alone, over the runs
    latency_p95_ns double precision NOT NULL CHECK (latency_p95_ns >= 0),
    runs           integer NOT NULL,
    PRIMARY KEY (branch, day, expert_id)
);

-- Credit of micro-experts over the sampled blocks of the week before a Monday, by detector and coin ('' = all).
CREATE TABLE expert_credit (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    detector_id    text NOT NULL,
    asset          text NOT NULL,
    expert_id      text NOT NULL,
    votes          boolean NOT NULL,                       -- else on the bench: unmasked
    weight         double precision NOT NULL,
    windows        bigint NOT NULL,
    days           integer NOT NULL,
    delta_sigma    double precision NOT NULL,              -- median Sigma with it less Sigma without
    delta_value    double precision NOT NULL,              -- bps a learning day
    low            double precision,                       -- 95 %, null below five days
    high           double precision,
    pooled         double precision,                       -- drawn towards its other cells
    pooled_error   double precision,
    shapley        double precision,                       -- its share of v(all) - v(none), bps a learning day
    shapley_error  double precision,
    PRIMARY KEY (branch, day, detector_id, asset, expert_id)
);
CREATE INDEX expert_credit_of_expert ON expert_credit (branch, expert_id, day);

-- The same of braids in force, by detector.
CREATE TABLE braid_credit (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    detector_id    text NOT NULL,
    braid_id       text NOT NULL,
    windows        bigint NOT NULL,                        -- in which it fired
    days           integer NOT NULL,
    delta_sigma    double precision NOT NULL,
    delta_value    double precision NOT NULL,              -- bps a learning day
    low            double precision,
    high           double precision,
    shapley        double precision,
    shapley_error  double precision,
    PRIMARY KEY (branch, day, braid_id)
);

-- What was given compute from a Monday on, and with which probability: what makes arms and allocator comparable later.
CREATE TABLE compute_allocations (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    kind           text NOT NULL CHECK (kind IN ('expert', 'trial', 'job')),
    arm            text NOT NULL,
    q              double precision NOT NULL CHECK (q BETWEEN 0 AND 1),  -- probability of being drawn
    drawn          boolean NOT NULL,
    cost           double precision,                       -- ns a frame, CPU seconds of a job; null: not measured
    quota          double precision NOT NULL,              -- of its kind, in the unit of cost
    context        jsonb NOT NULL,
    reward         double precision,                       -- of the week before, where it was computed
    from_day       text NOT NULL,                          -- first day in force
    PRIMARY KEY (branch, day, kind, arm)
);

-- Who helped each detector, over all weeks.
CREATE VIEW v_dsi_contrib AS
SELECT branch, detector_id, expert_id, avg(delta_sigma) AS d_sigma_avg, count(*) AS n, avg(delta_value) AS d_value_avg,
       avg(shapley) AS shapley_avg
FROM expert_credit WHERE asset = '' AND detector_id <> '' GROUP BY branch, detector_id, expert_id;

-- Every expert by week: how often it was right, what it did to scores and what it was worth.
CREATE VIEW v_dsi_expert_stats AS
SELECT c.branch, c.day AS week, c.expert_id, s.calls AS samples, s.reliability, c.votes, c.weight,
       avg(d.delta_sigma) AS delta_sigma_avg,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY d.delta_sigma) AS delta_sigma_p50,
       c.delta_value, c.low, c.high, c.pooled, c.shapley, c.shapley_error
FROM expert_credit c
JOIN expert_credit d ON d.branch = c.branch AND d.day = c.day AND d.expert_id = c.expert_id
    AND d.detector_id <> '' AND d.asset = ''
LEFT JOIN dsi_expert_stats s ON s.branch = c.branch AND s.day = c.day AND s.expert_id = c.expert_id AND s.asset = ''
WHERE c.detector_id = '' AND c.asset = ''
GROUP BY c.branch, c.day, c.expert_id, s.calls, s.reliability, c.votes, c.weight, c.delta_value, c.low, c.high,
         c.pooled, c.shapley, c.shapley_error;
