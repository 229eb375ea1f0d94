-- Database of the module vis (vision).

-- include: common/module.sql

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

-- include: common/parts/braids.sql

-- include: common/parts/strands_view.sql
