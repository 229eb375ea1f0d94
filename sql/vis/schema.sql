-- Database of the module vis (vision).

-- Messages: transactional outbox, inbox with permanent de-duplication, dead letters, identity.
CREATE TABLE vis_outbox (
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
CREATE INDEX vis_outbox_waiting ON vis_outbox (priority DESC, seq) WHERE dispatched_at IS NULL;

CREATE TABLE vis_inbox (
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
CREATE INDEX vis_inbox_waiting ON vis_inbox (priority DESC, arrival) WHERE consumed_at IS NULL;

CREATE TABLE vis_dead_letter (
    event_id       text NOT NULL,
    place          text NOT NULL CHECK (place IN ('outbox', 'inbox')),
    reason         text NOT NULL,                          -- a code of lotus.modules.reasons
    detail         text NOT NULL,
    envelope       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    replayed_at    timestamptz,
    PRIMARY KEY (event_id, place)
);

CREATE TABLE vis_identity (
    module         text NOT NULL,
    verify_key     text NOT NULL,                          -- ed25519, 64 hexadecimal characters
    release        text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    valid_from     timestamptz NOT NULL DEFAULT now(),
    retired_at     timestamptz,                            -- signs nothing that was said later
    releases       text[] NOT NULL DEFAULT '{}',           -- further releases that signed with this key
    PRIMARY KEY (module, verify_key)
);

CREATE TABLE vis_gap (
    seq            bigint PRIMARY KEY,                     -- a number of this sender that no committed row has
    state          text NOT NULL CHECK (state IN ('healed', 'alarmed')),
    seen_at        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE vis_herald (
    target         text NOT NULL,
    intent         text NOT NULL,
    outcome        text NOT NULL,                          -- delivered, repeated, postponed, or the reason of a dead letter
    n              bigint NOT NULL,
    PRIMARY KEY (target, intent, outcome)
);

CREATE TABLE vis_replica (
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

CREATE FUNCTION vis_outbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_outbox;
    RETURN NULL;
END $$;
CREATE TRIGGER vis_outbox_hint AFTER INSERT ON vis_outbox FOR EACH STATEMENT EXECUTE FUNCTION vis_outbox_hint();

CREATE FUNCTION vis_inbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_inbox;
    RETURN NULL;
END $$;
CREATE TRIGGER vis_inbox_hint AFTER INSERT ON vis_inbox FOR EACH STATEMENT EXECUTE FUNCTION vis_inbox_hint();

-- Strands: what the module thought and did, one row per step of a lifecycle.
CREATE TABLE vis_strand (
    id             text PRIMARY KEY,
    lifecycle_id   text NOT NULL,
    parent_id      text,
    module         text NOT NULL DEFAULT 'vis',
    kind           text NOT NULL,
    symbol         text,
    timeframe      text,
    session_bucket text,
    regime         text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    hint           jsonb                                   -- alpha-hint-1.0
);
CREATE INDEX vis_strand_lifecycle ON vis_strand (lifecycle_id);

-- Braids of this module: append-only history, the current row is a view.
CREATE TABLE vis_braid_history (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- learning day, YYYY-MM-DD
    braid_id       text NOT NULL,
    ordinal        integer NOT NULL DEFAULT 0,             -- several changes on one day
    new_state      text NOT NULL CHECK (new_state IN ('proposed', 'active', 'sunset', 'archived')),
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, braid_id, ordinal)
);
CREATE VIEW vis_braid AS
SELECT DISTINCT ON (branch, braid_id) branch, braid_id, day, ordinal, new_state AS state, body
FROM vis_braid_history ORDER BY branch, braid_id, day DESC, ordinal DESC;

-- Versions of the priors that this module runs on; roll-forward only.
CREATE TABLE vis_priors (
    branch             text NOT NULL,
    priors_ver         text NOT NULL,
    day                text NOT NULL,
    effective_from_ms  bigint NOT NULL,
    parent_priors_ver  text NOT NULL,
    payload            text NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, priors_ver)
);

-- Strands in the same form in every module: the columns of the envelope, and the module's own as one value.
CREATE VIEW v_strands AS
SELECT id, lifecycle_id, parent_id, module, kind, symbol, timeframe, session_bucket, regime, created_at, updated_at,
       to_jsonb(s) - ARRAY['id', 'lifecycle_id', 'parent_id', 'module', 'kind', 'symbol', 'timeframe', 'session_bucket',
                           'regime', 'created_at', 'updated_at'] AS own
FROM vis_strand s;
