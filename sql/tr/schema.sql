-- Database of the module tr (trader).

-- Messages: transactional outbox, inbox with permanent de-duplication, dead letters, identity.
CREATE TABLE tr_outbox (
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
CREATE INDEX tr_outbox_waiting ON tr_outbox (priority DESC, seq) WHERE dispatched_at IS NULL;

CREATE TABLE tr_inbox (
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
CREATE INDEX tr_inbox_waiting ON tr_inbox (priority DESC, arrival) WHERE consumed_at IS NULL;

CREATE TABLE tr_dead_letter (
    event_id       text NOT NULL,
    place          text NOT NULL CHECK (place IN ('outbox', 'inbox')),
    reason         text NOT NULL,                          -- a code of lotus.modules.reasons
    detail         text NOT NULL,
    envelope       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    replayed_at    timestamptz,
    PRIMARY KEY (event_id, place)
);

CREATE TABLE tr_identity (
    module         text NOT NULL,
    verify_key     text NOT NULL,                          -- ed25519, 64 hexadecimal characters
    release        text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    valid_from     timestamptz NOT NULL DEFAULT now(),
    retired_at     timestamptz,                            -- signs nothing that was said later
    releases       text[] NOT NULL DEFAULT '{}',           -- further releases that signed with this key
    PRIMARY KEY (module, verify_key)
);

CREATE TABLE tr_gap (
    seq            bigint PRIMARY KEY,                     -- a number of this sender that no committed row has
    state          text NOT NULL CHECK (state IN ('healed', 'alarmed')),
    seen_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tr_herald (
    target         text NOT NULL,
    intent         text NOT NULL,
    outcome        text NOT NULL,                          -- delivered, repeated, postponed, or the reason of a dead letter
    n              bigint NOT NULL,
    PRIMARY KEY (target, intent, outcome)
);

CREATE TABLE tr_replica (
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

CREATE FUNCTION tr_outbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_outbox;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_outbox_hint AFTER INSERT ON tr_outbox FOR EACH STATEMENT EXECUTE FUNCTION tr_outbox_hint();

CREATE FUNCTION tr_inbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_inbox;
    RETURN NULL;
END $$;
CREATE TRIGGER tr_inbox_hint AFTER INSERT ON tr_inbox FOR EACH STATEMENT EXECUTE FUNCTION tr_inbox_hint();

-- Strands: what the module thought and did, one row per step of a lifecycle.
CREATE TABLE tr_strand (
    id             text PRIMARY KEY,
    lifecycle_id   text NOT NULL,
    parent_id      text,
    module         text NOT NULL DEFAULT 'tr',
    kind           text NOT NULL,
    symbol         text,
    timeframe      text,
    session_bucket text,
    regime         text,
    decision_id      text,
    order_spec       jsonb,
    route_hint       text,
    tr_predict       jsonb,
    fills            jsonb,
    exec_metrics     jsonb,
    position_data    jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tr_strand_lifecycle ON tr_strand (lifecycle_id);

-- Braids of this module: append-only history, the current row is a view.
CREATE TABLE tr_braid_history (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- learning day, YYYY-MM-DD
    braid_id       text NOT NULL,
    ordinal        integer NOT NULL DEFAULT 0,             -- several changes on one day
    new_state      text NOT NULL CHECK (new_state IN ('proposed', 'active', 'sunset', 'archived')),
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, braid_id, ordinal)
);
CREATE VIEW tr_braid AS
SELECT DISTINCT ON (branch, braid_id) branch, braid_id, day, ordinal, new_state AS state, body
FROM tr_braid_history ORDER BY branch, braid_id, day DESC, ordinal DESC;

-- Versions of the priors that this module runs on; roll-forward only.
CREATE TABLE tr_priors (
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
CREATE TABLE tr_priors_in_force (
    branch             text NOT NULL,
    day                text NOT NULL,                      -- UTC day of effective_from_ms
    priors_ver         text NOT NULL,
    effective_from_ms  bigint NOT NULL,
    event_id           text NOT NULL,                      -- the PRIOR_PATCH that brought it
    PRIMARY KEY (branch, effective_from_ms),
    FOREIGN KEY (branch, priors_ver) REFERENCES tr_priors (branch, priors_ver)
);

-- What was learned about knobs, and what the nights used up: slots, audits, evidence of every knob.
CREATE TABLE tr_lessons (
    branch             text NOT NULL,
    day                text NOT NULL,
    lesson_id          text NOT NULL,
    body               jsonb NOT NULL,
    PRIMARY KEY (branch, day, lesson_id)
);

CREATE TABLE tr_experiments (
    branch             text NOT NULL,
    day                text NOT NULL,
    kind               text NOT NULL,
    name               text NOT NULL,
    body               jsonb NOT NULL,
    PRIMARY KEY (branch, day, kind, name)
);

-- Plans with the whole state of their execution, and what venues said, for readers and for the start after a crash.
CREATE TABLE tr_plans (
    plan_id        text PRIMARY KEY,
    branch         text NOT NULL,
    decision_id    text NOT NULL,
    lifecycle_id   text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('probe', 'book')),
    coin           text NOT NULL,
    venue          text NOT NULL,
    stage          text NOT NULL CHECK (stage IN ('accepted', 'working', 'done', 'refused')),
    created_ms     bigint NOT NULL,                        -- event time
    plan           jsonb NOT NULL,
    reference      jsonb NOT NULL,                         -- the window it measures, and prices at the decision
    execution      jsonb NOT NULL,                         -- state of the executor; {} before its first step
    updated_at     timestamptz NOT NULL DEFAULT now(),
    will_hold      numeric,                                -- size once all under way is over; null before its first step
    ceiling        numeric,                                -- most that it may hold, set by later decisions of the book
    exit_at_ms     bigint,                                 -- exit time, moved on by later decisions of the book
    session        text NOT NULL DEFAULT ''                -- run whose feed its venue lives on; '' outlives runs
);
CREATE INDEX tr_plans_open ON tr_plans (venue, created_ms) WHERE stage IN ('accepted', 'working');
CREATE INDEX tr_plans_book ON tr_plans (branch, created_ms) WHERE kind = 'book';

CREATE TABLE tr_orders (
    client_id      text PRIMARY KEY,                       -- 0x and 32 hexadecimal characters, made of plan, purpose, index
    plan_id        text NOT NULL,
    venue          text NOT NULL,
    coin           text NOT NULL,
    purpose        text NOT NULL,
    state          text NOT NULL,
    sent_ms        bigint NOT NULL,
    body           jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tr_orders_by_plan ON tr_orders (plan_id);

CREATE TABLE tr_fills (
    venue          text NOT NULL,
    fill_id        text NOT NULL,
    client_id      text NOT NULL,
    coin           text NOT NULL,
    time_ms        bigint NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (venue, fill_id)
);
CREATE INDEX tr_fills_by_order ON tr_fills (client_id);

CREATE TABLE tr_paper_account (
    account        text PRIMARY KEY,
    state          jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    marks          jsonb NOT NULL DEFAULT '{}'             -- equity at the mark, at the mids, at the far side
);

CREATE TABLE tr_paper_orders (
    account        text NOT NULL,
    client_id      text NOT NULL,
    is_final       boolean NOT NULL,
    changed_ms     bigint NOT NULL,                        -- event time
    body           jsonb NOT NULL,
    PRIMARY KEY (account, client_id)
);
CREATE INDEX tr_paper_orders_live ON tr_paper_orders (account, changed_ms) WHERE NOT is_final;

CREATE TABLE tr_paper_fills (
    account        text NOT NULL,
    number         bigint NOT NULL,
    time_ms        bigint NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (account, number)
);

CREATE TABLE tr_funding_paid (
    venue          text NOT NULL,
    account        text NOT NULL,
    coin           text NOT NULL,
    time_ms        bigint NOT NULL,                        -- the full hour
    plan_id        text NOT NULL,
    usd            double precision NOT NULL,              -- the plan's part; paid is positive
    body           jsonb NOT NULL,
    PRIMARY KEY (venue, account, coin, time_ms, plan_id)
);
CREATE INDEX tr_funding_paid_by_plan ON tr_funding_paid (plan_id);

CREATE TABLE tr_trigger_events (
    plan_id        text NOT NULL,
    seq            integer NOT NULL,                       -- of the watcher, from 1
    status         text NOT NULL CHECK (status IN ('armed', 'fired', 'expired', 'rejected')),
    time_ms        bigint NOT NULL,                        -- end of the frame
    body           jsonb NOT NULL,
    PRIMARY KEY (plan_id, seq)
);

-- Strands in the same form in every module: the columns of the envelope, and the module's own as one value.
CREATE VIEW v_strands AS
SELECT id, lifecycle_id, parent_id, module, kind, symbol, timeframe, session_bucket, regime, created_at, updated_at,
       to_jsonb(s) - ARRAY['id', 'lifecycle_id', 'parent_id', 'module', 'kind', 'symbol', 'timeframe', 'session_bucket',
                           'regime', 'created_at', 'updated_at'] AS own
FROM tr_strand s;
