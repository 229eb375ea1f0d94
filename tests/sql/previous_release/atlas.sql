-- Named queries of the atlas database.

-- name: put_ledger
INSERT INTO lotus_ledger
    (ledger_id, module, kind, ref_table, ref_id, branch, lifecycle_id, parent_id, tags, priority, ttl, retry_count, status)
VALUES (%s, %s, %s, %s, %s, %s, %s, NULLIF(%s, ''), %s, %s, %s, %s, %s)
ON CONFLICT (ledger_id) DO UPDATE SET status = excluded.status, retry_count = excluded.retry_count, processed_at = now()
WHERE lotus_ledger.status <> excluded.status;

-- name: read_ledger
SELECT ledger_id, module, kind, ref_table, ref_id, lifecycle_id, tags, priority, retry_count, status
FROM lotus_ledger WHERE lifecycle_id = %s ORDER BY ledger_id;
