-- Database of the module vis (vision).

-- include: common/parts/messages.sql

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
    ocr_text         text,
    chart_hash       text,
    panel_bbox       jsonb,
    pattern_flags    jsonb,
    embedding        bytea,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX vis_strand_lifecycle ON vis_strand (lifecycle_id);

-- include: common/parts/braids.sql
