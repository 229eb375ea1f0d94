-- The Herald's books (counts, gaps, replicas), the replica an inbox row is meant for, and every release of a key.
CREATE TABLE {mod}_gap (
    seq            bigint PRIMARY KEY,                     -- a number of this sender that no committed row has
    state          text NOT NULL CHECK (state IN ('healed', 'alarmed')),
    seen_at        timestamptz NOT NULL DEFAULT now()
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

ALTER TABLE {mod}_inbox ADD COLUMN replica text;
ALTER TABLE {mod}_identity ADD COLUMN releases text[] NOT NULL DEFAULT '{}';
