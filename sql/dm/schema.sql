-- Database of the module dm (decision-maker).

-- Messages: transactional outbox, inbox with permanent de-duplication, dead letters, identity.
CREATE TABLE dm_outbox (
    seq            bigint PRIMARY KEY,                     -- per sender, gapless
    event_id       text NOT NULL UNIQUE,                   -- ULID
    dedupe_key     text NOT NULL UNIQUE,
    lifecycle_id   text NOT NULL,
    branch         text NOT NULL,
    intent         text NOT NULL,
    priority       smallint NOT NULL CHECK (priority BETWEEN 0 AND 2),  -- 2 is the most urgent
    envelope       text NOT NULL,                          -- canonical JSON, signed
    created_at     timestamptz NOT NULL DEFAULT now(),
    attempts       integer NOT NULL DEFAULT 0,
    not_before     timestamptz NOT NULL DEFAULT to_timestamp(0),
    dispatched_at  timestamptz,
    outcome        text CHECK (outcome IN ('delivered', 'dead'))
);
CREATE INDEX dm_outbox_waiting ON dm_outbox (priority DESC, seq) WHERE dispatched_at IS NULL;

CREATE TABLE dm_inbox (
    event_id       text PRIMARY KEY,
    sender         text NOT NULL,
    dedupe_key     text NOT NULL,
    lifecycle_id   text NOT NULL,
    branch         text NOT NULL,
    intent         text NOT NULL,
    priority       smallint NOT NULL,
    envelope       text NOT NULL,
    arrival        bigint GENERATED ALWAYS AS IDENTITY,
    received_at    timestamptz NOT NULL DEFAULT now(),
    attempts       integer NOT NULL DEFAULT 0,
    consumed_at    timestamptz,
    outcome        text CHECK (outcome IN ('applied', 'refused', 'dead')),
    UNIQUE (sender, dedupe_key),
    replica        text                                    -- meant for this one of several; anybody's when null
);
CREATE INDEX dm_inbox_waiting ON dm_inbox (priority DESC, arrival) WHERE consumed_at IS NULL;

CREATE TABLE dm_dead_letter (
    event_id       text NOT NULL,
    place          text NOT NULL CHECK (place IN ('outbox', 'inbox')),
    reason         text NOT NULL,                          -- a code of lotus.modules.reasons
    detail         text NOT NULL,
    envelope       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    replayed_at    timestamptz,
    PRIMARY KEY (event_id, place)
);

CREATE TABLE dm_identity (
    module         text NOT NULL,
    verify_key     text NOT NULL,                          -- ed25519, 64 hexadecimal characters
    release        text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    valid_from     timestamptz NOT NULL DEFAULT now(),
    retired_at     timestamptz,                            -- signs nothing that was said later
    releases       text[] NOT NULL DEFAULT '{}',           -- further releases that signed with this key
    PRIMARY KEY (module, verify_key)
);

CREATE TABLE dm_gap (
    seq            bigint PRIMARY KEY,                     -- a number of this sender that no committed row has
    state          text NOT NULL CHECK (state IN ('healed', 'alarmed')),
    seen_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE dm_herald (
    target         text NOT NULL,
    intent         text NOT NULL,
    outcome        text NOT NULL,                          -- delivered, repeated, postponed, or the reason of a dead letter
    n              bigint NOT NULL,
    PRIMARY KEY (target, intent, outcome)
);

CREATE TABLE dm_replica (
    replica_id     text PRIMARY KEY,
    process        text NOT NULL,
    capabilities   text[] NOT NULL,
    accepts        text[] NOT NULL,                        -- schemas it understands
    produces       text[] NOT NULL,                        -- schemas it sends
    preferred      text[] NOT NULL,                        -- partners it would rather speak with
    health         text NOT NULL,
    latency_ms     double precision NOT NULL,              -- received to applied, exponentially weighted
    reliability    double precision NOT NULL,              -- share applied or refused in order, exponentially weighted
    strength       double precision NOT NULL,              -- partnership strength, between floor and ceiling
    applied        bigint NOT NULL DEFAULT 0,
    started_at     timestamptz NOT NULL DEFAULT now(),
    heartbeat_at   timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz
);

CREATE FUNCTION dm_outbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_outbox;
    RETURN NULL;
END $$;
CREATE TRIGGER dm_outbox_hint AFTER INSERT ON dm_outbox FOR EACH STATEMENT EXECUTE FUNCTION dm_outbox_hint();

CREATE FUNCTION dm_inbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_inbox;
    RETURN NULL;
END $$;
CREATE TRIGGER dm_inbox_hint AFTER INSERT ON dm_inbox FOR EACH STATEMENT EXECUTE FUNCTION dm_inbox_hint();

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

-- Braids of this module: append-only history, the current row is a view.
CREATE TABLE dm_braid_history (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- learning day, YYYY-MM-DD
    braid_id       text NOT NULL,
    ordinal        integer NOT NULL DEFAULT 0,             -- several changes on one day
    new_state      text NOT NULL CHECK (new_state IN ('proposed', 'active', 'sunset', 'archived')),
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, braid_id, ordinal)
);
CREATE VIEW dm_braid AS
SELECT DISTINCT ON (branch, braid_id) branch, braid_id, day, ordinal, new_state AS state, body
FROM dm_braid_history ORDER BY branch, braid_id, day DESC, ordinal DESC;

-- Versions of the priors that this module runs on; roll-forward only.
CREATE TABLE dm_priors (
    branch             text NOT NULL,
    priors_ver         text NOT NULL,
    day                text NOT NULL,
    effective_from_ms  bigint NOT NULL,
    parent_priors_ver  text NOT NULL,
    payload            text NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, priors_ver)
);

-- Which version of the priors is in force when.
CREATE TABLE dm_priors_in_force (
    branch             text NOT NULL,
    day                text NOT NULL,                      -- UTC day of effective_from_ms
    priors_ver         text NOT NULL,
    effective_from_ms  bigint NOT NULL,
    event_id           text NOT NULL,                      -- the PRIOR_PATCH that brought it
    PRIMARY KEY (branch, effective_from_ms),
    FOREIGN KEY (branch, priors_ver) REFERENCES dm_priors (branch, priors_ver)
);

-- What was learned about knobs, and what the nights used up: slots, audits, evidence of every knob.
CREATE TABLE dm_lessons (
    branch             text NOT NULL,
    day                text NOT NULL,
    lesson_id          text NOT NULL,
    body               jsonb NOT NULL,
    PRIMARY KEY (branch, day, lesson_id)
);

CREATE TABLE dm_experiments (
    branch             text NOT NULL,
    day                text NOT NULL,
    kind               text NOT NULL,
    name               text NOT NULL,
    body               jsonb NOT NULL,
    PRIMARY KEY (branch, day, kind, name)
);

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

-- Strands in the same form in every module: the columns of the envelope, and the module's own as one value.
CREATE VIEW v_strands AS
SELECT id, lifecycle_id, parent_id, module, kind, symbol, timeframe, session_bucket, regime, created_at, updated_at,
       to_jsonb(s) - ARRAY['id', 'lifecycle_id', 'parent_id', 'module', 'kind', 'symbol', 'timeframe', 'session_bucket',
                           'regime', 'created_at', 'updated_at'] AS own
FROM dm_strand s;
