-- Messages of one module. `{mod}` is the module's name (sig, dm, tr, vis), put in by lotus_store.postgres.queries.

-- name: lock_outbox
LOCK TABLE {mod}_outbox IN SHARE ROW EXCLUSIVE MODE;

-- name: sent
SELECT envelope FROM {mod}_outbox WHERE dedupe_key = %s;

-- name: next_seq
SELECT COALESCE(max(seq), 0) + 1 FROM {mod}_outbox;

-- name: put_outbox
INSERT INTO {mod}_outbox (seq, event_id, dedupe_key, lifecycle_id, branch, intent, priority, envelope)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s);

-- name: claim_outbox
SELECT seq, event_id, attempts, envelope FROM {mod}_outbox
WHERE dispatched_at IS NULL AND not_before <= now() AND (%(branch)s::text IS NULL OR branch = %(branch)s)
ORDER BY priority DESC, seq LIMIT %(batch)s FOR UPDATE SKIP LOCKED;

-- name: dispatched
UPDATE {mod}_outbox SET dispatched_at = now(), outcome = %s WHERE seq = %s;

-- name: postponed
UPDATE {mod}_outbox SET attempts = attempts + 1, not_before = now() + make_interval(secs => %s) WHERE seq = %s;

-- name: put_inbox
INSERT INTO {mod}_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: claim_inbox
SELECT event_id, attempts, envelope FROM {mod}_inbox
WHERE consumed_at IS NULL AND (%(branch)s::text IS NULL OR branch = %(branch)s)
ORDER BY priority DESC, arrival LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: consumed
UPDATE {mod}_inbox SET consumed_at = now(), outcome = %s, attempts = attempts + 1 WHERE event_id = %s;

-- name: reconsider
UPDATE {mod}_inbox SET consumed_at = NULL, outcome = NULL WHERE event_id = %s AND outcome IN ('refused', 'dead');

-- name: put_dead
INSERT INTO {mod}_dead_letter (event_id, place, reason, detail, envelope) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (event_id, place) DO UPDATE SET
    reason = excluded.reason, detail = excluded.detail, created_at = now(), replayed_at = NULL;

-- name: replay_outbox
WITH again AS (
    UPDATE {mod}_dead_letter SET replayed_at = now() WHERE event_id = %s AND place = 'outbox' RETURNING event_id
)
UPDATE {mod}_outbox SET dispatched_at = NULL, outcome = NULL, attempts = 0, not_before = to_timestamp(0)
WHERE event_id IN (SELECT event_id FROM again);

-- name: replay_inbox
WITH again AS (
    UPDATE {mod}_dead_letter SET replayed_at = now() WHERE event_id = %s AND place = 'inbox' RETURNING event_id
)
UPDATE {mod}_inbox SET consumed_at = NULL, outcome = NULL, attempts = 0
WHERE event_id IN (SELECT event_id FROM again);

-- name: dead_letters
SELECT event_id, place, reason, detail FROM {mod}_dead_letter WHERE replayed_at IS NULL ORDER BY event_id, place;

-- name: lag
SELECT (SELECT count(*) FROM {mod}_outbox WHERE dispatched_at IS NULL),
       (SELECT count(*) FROM {mod}_inbox WHERE consumed_at IS NULL),
       COALESCE(EXTRACT(epoch FROM now() - (SELECT min(received_at) FROM {mod}_inbox WHERE consumed_at IS NULL)), 0)::float8;

-- name: anything_open
SELECT EXISTS (SELECT FROM {mod}_outbox WHERE dispatched_at IS NULL AND branch = %(branch)s)
    OR EXISTS (SELECT FROM {mod}_inbox WHERE consumed_at IS NULL AND branch = %(branch)s);

-- name: waiting
SELECT event_id, branch, intent FROM {mod}_inbox WHERE consumed_at IS NULL ORDER BY arrival;

-- name: put_identity
INSERT INTO {mod}_identity (module, verify_key, release) VALUES (%s, %s, %s)
ON CONFLICT (module, verify_key) DO NOTHING;

-- name: identities
SELECT verify_key FROM {mod}_identity WHERE module = %s;
