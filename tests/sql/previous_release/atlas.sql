-- Named queries of the atlas database.

-- name: put_ledger
INSERT INTO lotus_ledger
    (ledger_id, module, kind, ref_table, ref_id, branch, lifecycle_id, parent_id, symbol, timeframe, session_bucket,
     regime, tags, priority, ttl, retry_count, status, created_at, processed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (ledger_id) DO UPDATE SET
    retry_count = excluded.retry_count, status = excluded.status, created_at = excluded.created_at,
    processed_at = excluded.processed_at;

-- name: forget_ledger
DELETE FROM lotus_ledger;

-- name: read_ledger
SELECT ledger_id, module, kind, ref_table, ref_id, branch, lifecycle_id, parent_id, symbol, timeframe, session_bucket,
       regime, tags, priority, ttl, retry_count, status, created_at, processed_at
FROM lotus_ledger ORDER BY ledger_id;

-- name: read_lifecycle
SELECT ledger_id, module, kind, ref_table, ref_id, branch, lifecycle_id, parent_id, symbol, timeframe, session_bucket,
       regime, tags, priority, ttl, retry_count, status, created_at, processed_at
FROM lotus_ledger WHERE lifecycle_id = %s ORDER BY created_at, ledger_id;
