-- Strands in the same form in every module: the columns of the envelope, and the module's own as one value.
CREATE VIEW v_strands AS
SELECT id, lifecycle_id, parent_id, module, kind, symbol, timeframe, session_bucket, regime, created_at, updated_at,
       to_jsonb(s) - ARRAY['id', 'lifecycle_id', 'parent_id', 'module', 'kind', 'symbol', 'timeframe', 'session_bucket',
                           'regime', 'created_at', 'updated_at'] AS own
FROM {mod}_strand s;
