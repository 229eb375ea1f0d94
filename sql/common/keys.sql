-- Verify keys of one module. `{mod}` is the module's name, put in by lotus_store.postgres.queries.

-- name: put_key
INSERT INTO {mod}_identity (module, verify_key, release) VALUES (%s, %s, %s)
ON CONFLICT (module, verify_key) DO NOTHING;

-- name: retire_others
UPDATE {mod}_identity SET retired_at = clock_timestamp()
WHERE module = %s AND verify_key <> %s AND retired_at IS NULL;

-- name: read_keys
SELECT verify_key, release, valid_from, retired_at FROM {mod}_identity WHERE module = %s ORDER BY valid_from, verify_key;

-- name: keys_of_row
SELECT verify_key FROM {mod}_identity
WHERE module = %s AND (retired_at IS NULL OR retired_at >= (SELECT created_at FROM {mod}_outbox WHERE seq = %s));
