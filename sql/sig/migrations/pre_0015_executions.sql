-- How published windows were executed at a venue, as the trader told it; one row per window, written once.
CREATE TABLE executions (
    branch         text NOT NULL,
    event_id       text NOT NULL,
    detector_id    text NOT NULL,
    asset          text NOT NULL,
    window_end_ms  bigint NOT NULL,
    venue          text NOT NULL,
    outcome        text NOT NULL CHECK (outcome IN ('closed', 'unfilled', 'refused')),
    payoff_bps     double precision NOT NULL,              -- net of fees and funding, of the planned notional
    body           jsonb NOT NULL,                         -- fills and their costs, refusals
    told_by        text NOT NULL,                          -- the EXEC_REPORT
    PRIMARY KEY (branch, event_id)
);
CREATE INDEX executions_by_time ON executions (branch, window_end_ms);
