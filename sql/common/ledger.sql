-- What the atlas ledger mirrors of one module. `{mod}` is the module's name, put in by lotus_store.postgres.queries.

-- name: moment
SELECT now();

-- name: done_messages
SELECT event_id, envelope, attempts, outcome, dispatched_at FROM {mod}_outbox
WHERE dispatched_at IS NOT NULL ORDER BY seq;

-- name: waiting_messages
SELECT event_id FROM {mod}_outbox WHERE dispatched_at IS NULL;

-- name: strands
SELECT id, lifecycle_id, parent_id, kind, symbol, timeframe, session_bucket, regime, created_at, updated_at
FROM {mod}_strand ORDER BY id;

-- name: strands_since
SELECT id, lifecycle_id, parent_id, kind, symbol, timeframe, session_bucket, regime, created_at, updated_at
FROM {mod}_strand WHERE updated_at >= %s ORDER BY id;
