-- Named queries of the atlas database.

-- name: put_ledger
INSERT INTO lotus_ledger
    (ledger_id, module, kind, ref_table, ref_id, branch, lifecycle_id, parent_id, symbol, timeframe, session_bucket,
     regime, tags, priority, ttl, retry_count, status, created_at, processed_at,
     resonance_frequency, observer_effects, entanglement_data)
SELECT r.ledger_id, r.module, r.kind, r.ref_table, r.ref_id, r.branch, r.lifecycle_id, r.parent_id, r.symbol,
       r.timeframe, r.session_bucket, r.regime, r.tags, r.priority, r.ttl, r.retry_count, r.status, r.created_at,
       r.processed_at, n.resonance_frequency, n.observer_effects, n.entanglement_data
FROM json_to_recordset(%s::json) r (
    ledger_id text, module text, kind text, ref_table text, ref_id text, branch text, lifecycle_id text, parent_id text,
    symbol text, timeframe text, session_bucket text, regime text, tags text[], priority smallint, ttl integer,
    retry_count integer, status text, created_at timestamptz, processed_at timestamptz, numbers_day text
) LEFT JOIN ledger_numbers n ON n.branch = r.branch AND n.day = r.numbers_day AND n.module = r.module
ON CONFLICT (ledger_id) DO UPDATE SET
    branch = CASE WHEN lotus_ledger.branch = '' THEN excluded.branch ELSE lotus_ledger.branch END,
    retry_count = excluded.retry_count, status = excluded.status, resonance_frequency = excluded.resonance_frequency,
    observer_effects = excluded.observer_effects, entanglement_data = excluded.entanglement_data,
    created_at = excluded.created_at, processed_at = excluded.processed_at;

-- name: forget_ledger
DELETE FROM lotus_ledger;

-- name: drop_ledger
DELETE FROM lotus_ledger WHERE ref_id = ANY(%(ids)s) AND ref_table = %(table)s;

-- name: read_ledger
SELECT ledger_id, module, kind, ref_table, ref_id, branch, lifecycle_id, parent_id, symbol, timeframe, session_bucket,
       regime, tags, priority, ttl, retry_count, status, resonance_frequency, observer_effects, entanglement_data,
       created_at, processed_at
FROM lotus_ledger ORDER BY ledger_id;

-- name: read_lifecycle
SELECT ledger_id, module, kind, ref_table, ref_id, branch, lifecycle_id, parent_id, symbol, timeframe, session_bucket,
       regime, tags, priority, ttl, retry_count, status, resonance_frequency, observer_effects, entanglement_data,
       created_at, processed_at
FROM lotus_ledger WHERE lifecycle_id = %s ORDER BY created_at, ledger_id;

-- name: strand_branches
SELECT lifecycle_id, min(branch) FROM lotus_ledger WHERE ref_table LIKE '%_strand' AND branch <> ''
GROUP BY lifecycle_id HAVING count(DISTINCT branch) = 1;

-- name: thread_branches
SELECT lifecycle_id, min(branch) FROM lotus_ledger
WHERE lifecycle_id = ANY(%s) AND status IN ('delivered', 'dead') AND branch <> ''
GROUP BY lifecycle_id HAVING count(DISTINCT branch) = 1;

-- name: lock_numbers_shared
-- Numbers and the rows that carry them stay together: who writes rows shares this lock, who brings numbers has it alone.
SELECT pg_advisory_xact_lock_shared(1280265299, hashtext('ledger_numbers'));

-- name: lock_numbers
SELECT pg_advisory_xact_lock(1280265299, hashtext('ledger_numbers'));

-- name: read_numbers
SELECT branch, day, module, resonance_frequency, observer_effects, entanglement_data FROM ledger_numbers;

-- name: put_numbers
INSERT INTO ledger_numbers AS n (branch, day, module, resonance_frequency, observer_effects, entanglement_data)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (branch, day, module) DO UPDATE SET
    resonance_frequency = excluded.resonance_frequency, observer_effects = excluded.observer_effects,
    entanglement_data = excluded.entanglement_data
WHERE (n.resonance_frequency, n.observer_effects, n.entanglement_data)
    IS DISTINCT FROM (excluded.resonance_frequency, excluded.observer_effects, excluded.entanglement_data);

-- name: carry_numbers
UPDATE lotus_ledger l SET resonance_frequency = n.resonance_frequency, observer_effects = n.observer_effects,
    entanglement_data = n.entanglement_data
FROM ledger_numbers n
WHERE n.branch = %(branch)s AND n.day = %(day)s AND n.module = %(module)s
    AND l.branch = n.branch AND l.module = n.module AND l.created_at >= %(first)s AND l.created_at < %(end)s;

-- name: forget_numbers
DELETE FROM ledger_numbers;
