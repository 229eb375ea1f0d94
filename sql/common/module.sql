-- Messages: transactional outbox, inbox with permanent de-duplication, dead letters, identity.
CREATE TABLE {mod}_outbox (
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
CREATE INDEX {mod}_outbox_waiting ON {mod}_outbox (priority DESC, seq) WHERE dispatched_at IS NULL;

CREATE TABLE {mod}_inbox (
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
CREATE INDEX {mod}_inbox_waiting ON {mod}_inbox (priority DESC, arrival) WHERE consumed_at IS NULL;
CREATE INDEX {mod}_inbox_consumed ON {mod}_inbox USING brin (consumed_at);

CREATE TABLE {mod}_dead_letter (
    event_id       text NOT NULL,
    place          text NOT NULL CHECK (place IN ('outbox', 'inbox')),
    reason         text NOT NULL,                          -- a code of lotus.modules.reasons
    detail         text NOT NULL,
    envelope       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    replayed_at    timestamptz,
    PRIMARY KEY (event_id, place)
);

CREATE TABLE {mod}_identity (
    module         text NOT NULL,
    verify_key     text NOT NULL,                          -- ed25519, 64 hexadecimal characters
    release        text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    valid_from     timestamptz NOT NULL DEFAULT now(),
    retired_at     timestamptz,                            -- signs nothing that was said later
    releases       text[] NOT NULL DEFAULT '{}',           -- further releases that signed with this key
    PRIMARY KEY (module, verify_key)
);

CREATE TABLE {mod}_gap (
    seq            bigint PRIMARY KEY,                     -- a number of this sender that no committed row has
    state          text NOT NULL CHECK (state IN ('healed', 'alarmed')),
    seen_at        timestamptz NOT NULL DEFAULT now()
);

-- Up to which number retention may have let messages of this sender go: no number up to it is a gap.
CREATE TABLE {mod}_message_mark (
    sender         text PRIMARY KEY,                       -- this module
    seq            bigint NOT NULL
);

CREATE TABLE {mod}_herald (
    target         text NOT NULL,
    intent         text NOT NULL,
    outcome        text NOT NULL,                          -- delivered, repeated, postponed, or the reason of a dead letter
    n              bigint NOT NULL,
    PRIMARY KEY (target, intent, outcome)
);

CREATE TABLE {mod}_replica (
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

CREATE FUNCTION {mod}_outbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_outbox;
    RETURN NULL;
END $$;
CREATE TRIGGER {mod}_outbox_hint AFTER INSERT ON {mod}_outbox FOR EACH STATEMENT EXECUTE FUNCTION {mod}_outbox_hint();

CREATE FUNCTION {mod}_inbox_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY lotus_inbox;
    RETURN NULL;
END $$;
CREATE TRIGGER {mod}_inbox_hint AFTER INSERT ON {mod}_inbox FOR EACH STATEMENT EXECUTE FUNCTION {mod}_inbox_hint();
