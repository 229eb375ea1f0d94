-- Database of the module tr (trader).

-- include: common/parts/messages.sql

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

-- include: common/parts/braids.sql
