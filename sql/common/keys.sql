-- Verify keys of one module. `{mod}` is the module's name, put in by lotus_store.postgres.queries.

-- name: put_key
INSERT INTO {mod}_identity AS known (module, verify_key, release) VALUES (%(module)s, %(key)s, %(release)s)
ON CONFLICT (module, verify_key) DO UPDATE SET releases = array_append(known.releases, %(release)s)
WHERE known.release <> %(release)s AND %(release)s <> ALL(known.releases);

-- name: retire_others
UPDATE {mod}_identity SET retired_at = clock_timestamp()
WHERE module = %s AND verify_key <> %s AND retired_at IS NULL;

-- name: read_keys
SELECT verify_key, array_append(releases, release), valid_from, retired_at FROM {mod}_identity WHERE module = %s ORDER BY valid_from, verify_key;
