-- Database of the module dm (decision-maker).

-- include: common/parts/messages.sql

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
