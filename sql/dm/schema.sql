-- Database of the module dm (decision-maker).

-- include: common/module.sql

-- Strands: what the module thought and did, one row per step of a lifecycle.
CREATE TABLE dm_strand (
    id             text PRIMARY KEY,
    lifecycle_id   text NOT NULL,
    parent_id      text,
    module         text NOT NULL DEFAULT 'dm',
    kind           text NOT NULL,
    symbol         text,
    timeframe      text,
    session_bucket text,
    regime         text,
    alpha_bundle_ref text,
    dm_alpha         double precision,
    dm_budget        jsonb,
    dm_decision      text,
    eval             jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dm_strand_lifecycle ON dm_strand (lifecycle_id);

-- include: common/parts/braids.sql

-- include: common/parts/knob_beliefs.sql

-- include: common/parts/reviews.sql

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
    name           text NOT NULL,                          -- of an executor; else what of it a night fitted
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, kind, name)
);

-- What the decision-maker was told: views and cues until they are over, refused ones with every reason for a day.
CREATE TABLE dm_inputs (
    branch         text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('view', 'cue')),
    event_id       text NOT NULL,                          -- of the window or hint
    source         text NOT NULL,
    coin           text NOT NULL,
    horizon_s      integer NOT NULL,                       -- 0 for a cue
    window_end_ms  bigint NOT NULL,
    valid_until_ms bigint NOT NULL,                        -- forgotten after it
    body           jsonb NOT NULL,                         -- AlphaInput or CueInput; {} for one that was refused
    refused        text[] NOT NULL DEFAULT '{}',
    withdrawn      text NOT NULL DEFAULT '',               -- why it was taken back
    context        text NOT NULL DEFAULT '',               -- of a view's window, twelve bins
    PRIMARY KEY (branch, kind, event_id)
);
CREATE INDEX dm_inputs_live ON dm_inputs (branch, valid_until_ms);

-- Where a book stands after its last decided window; a window is decided once.
CREATE TABLE dm_book (
    branch         text NOT NULL,
    portfolio_id   text NOT NULL,
    window_end_ms  bigint NOT NULL,
    standing       jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, portfolio_id)
);

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

-- What people wish of the overlay curator: acts, never changed; one that lifts another names it.
CREATE TABLE dm_wishes (
    branch         text NOT NULL,
    act_id         text NOT NULL,
    coin           text NOT NULL,
    log            double precision NOT NULL,              -- of the factor of a coin's expectation
    author         text NOT NULL,
    reason         text NOT NULL,
    from_day       text NOT NULL,                          -- event time, YYYY-MM-DD
    until_day      text NOT NULL,                          -- first day without it
    lifts          text NOT NULL DEFAULT '',               -- act that counts no more; then nothing else does
    event_id       text NOT NULL,                          -- message that brought it
    PRIMARY KEY (branch, act_id)
);
CREATE INDEX dm_wishes_by_day ON dm_wishes (branch, until_day);

-- include: common/parts/strands_view.sql
