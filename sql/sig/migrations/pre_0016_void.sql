-- Why a window is no evidence: what our own machine prevented; empty where the venue answered for it.
ALTER TABLE executions ADD COLUMN void text NOT NULL DEFAULT '';
