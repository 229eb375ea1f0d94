-- Dagster's own database, whose schema is Dagster's: only what its interface has no call for (lotus_resources.dagster_internals).

-- name: needed_runs
SELECT DISTINCT run_id FROM (
    SELECT DISTINCT ON (asset_key, partition) run_id FROM event_logs
    WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key IS NOT NULL
    ORDER BY asset_key, partition, id DESC) newest
ORDER BY run_id;

-- name: old_runs
SELECT run_id FROM runs
WHERE status = ANY(%(ended)s) AND update_timestamp < %(before)s AND run_id <> ALL(%(needed)s)
ORDER BY id LIMIT %(batch)s;

-- name: rows_of_runs
SELECT count(*) FROM event_logs WHERE run_id = ANY(%s);

-- name: trim_runs
DELETE FROM event_logs WHERE id IN (
    SELECT e.id FROM event_logs e JOIN runs r ON r.run_id = e.run_id
    WHERE e.asset_key IS NULL AND e.dagster_event_type IS DISTINCT FROM 'ASSET_CHECK_EVALUATION'
      AND r.status = ANY(%(ended)s) AND r.update_timestamp < %(before)s
    LIMIT %(batch)s);

-- name: drop_old_checks
DELETE FROM asset_check_executions WHERE id IN (
    SELECT c.id FROM asset_check_executions c
    WHERE c.create_timestamp < %(before)s AND NOT EXISTS (SELECT FROM runs r WHERE r.run_id = c.run_id)
      AND EXISTS (SELECT FROM asset_check_executions n WHERE n.id > c.id AND n.asset_key = c.asset_key
                  AND n.check_name = c.check_name AND n.partition IS NOT DISTINCT FROM c.partition)
    LIMIT %(batch)s);

-- name: tidy
VACUUM (ANALYZE) event_logs;

-- name: size
SELECT pg_database_size(current_database());

-- name: take_lease
SELECT pg_try_advisory_lock(%s);

-- name: held_leases
SELECT classid, objid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database());

-- name: fleet_sessions
SELECT application_name, client_addr, backend_start FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'lotus-%%' ORDER BY application_name, backend_start;

-- name: session_number
SELECT pg_backend_pid();

-- name: clock
SELECT extract(epoch FROM clock_timestamp())::float8;

-- name: pool_limits
SELECT concurrency_key, "limit" FROM concurrency_limits ORDER BY concurrency_key;

-- name: runs_by_state
SELECT status, count(*) FROM runs WHERE status = ANY(%s) GROUP BY status ORDER BY status;

-- name: lease_ages
SELECT extract(epoch FROM clock_timestamp() - backend_start)::float8 FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'lotus-run %%' ORDER BY 1;
