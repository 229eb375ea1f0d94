-- Windows decided with a knob of the policy on trial: both arms' weights and the costs, as known at the decision.
CREATE TABLE dm_policy_trials (
    branch         text NOT NULL,
    portfolio_id   text NOT NULL,
    window_end_ms  bigint NOT NULL,
    matures_ms     bigint NOT NULL,                        -- end of the decision's horizon, event time
    body           jsonb NOT NULL,                         -- PolicyTrial
    PRIMARY KEY (branch, portfolio_id, window_end_ms)
);
CREATE INDEX dm_policy_trials_due ON dm_policy_trials (branch, matures_ms);
