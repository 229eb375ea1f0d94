-- Messages of one module. `{mod}` is the module's name (sig, dm, tr, vis), `{rows}` as many rows of values as there are;
-- both are put in by lotus_store.postgres.queries.

-- name: lock_outbox
SELECT pg_advisory_xact_lock(1280265299, hashtext('{mod}_outbox'));

-- name: sent
SELECT dedupe_key, envelope FROM {mod}_outbox WHERE dedupe_key = ANY(%s);

-- name: next_and_sent
SELECT n.seq, o.dedupe_key, o.envelope FROM (SELECT COALESCE(max(seq), 0) + 1 AS seq FROM {mod}_outbox) n
LEFT JOIN {mod}_outbox o ON o.dedupe_key = ANY(%s);

-- name: put_outbox
INSERT INTO {mod}_outbox (seq, event_id, dedupe_key, lifecycle_id, branch, intent, priority, envelope)
VALUES {rows};

-- name: claim_outbox
SELECT seq, event_id, attempts, envelope, created_at FROM {mod}_outbox
WHERE dispatched_at IS NULL AND not_before <= now() AND (%(branch)s::text IS NULL OR branch = %(branch)s)
ORDER BY priority DESC, seq LIMIT %(batch)s FOR UPDATE SKIP LOCKED;

-- name: dispatched
UPDATE {mod}_outbox SET dispatched_at = now(), outcome = %s WHERE seq = ANY(%s);

-- name: postponed
UPDATE {mod}_outbox o SET attempts = attempts + 1, not_before = now() + make_interval(secs => later.wait_s)
FROM unnest(%s::bigint[], %s::float8[]) later (seq, wait_s) WHERE o.seq = later.seq;

-- name: put_inbox
INSERT INTO {mod}_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope, replica)
VALUES {rows}
ON CONFLICT DO NOTHING RETURNING event_id;

-- name: claim_inbox
SELECT event_id, attempts, envelope, received_at FROM {mod}_inbox
WHERE consumed_at IS NULL AND (%(branch)s::text IS NULL OR branch = %(branch)s) AND event_id <> ALL(%(skip)s)
  AND (replica IS NULL OR %(replica)s::text IS NULL OR replica = %(replica)s)
  AND (%(intents)s::text[] IS NULL OR intent = ANY(%(intents)s))
ORDER BY priority DESC, arrival LIMIT %(batch)s FOR UPDATE SKIP LOCKED;

-- name: consumed
UPDATE {mod}_inbox i SET consumed_at = now(), outcome = done.outcome, attempts = attempts + 1
FROM unnest(%s::text[], %s::text[]) done (event_id, outcome) WHERE i.event_id = done.event_id;

-- name: failed
UPDATE {mod}_inbox SET attempts = attempts + 1 WHERE event_id = %s;

-- name: reconsider
UPDATE {mod}_inbox SET consumed_at = NULL, outcome = NULL WHERE event_id = %s AND outcome IN ('refused', 'dead');

-- name: put_dead
INSERT INTO {mod}_dead_letter (event_id, place, reason, detail, envelope) VALUES {rows}
ON CONFLICT (event_id, place) DO UPDATE SET
    reason = excluded.reason, detail = excluded.detail, created_at = now(), replayed_at = NULL;

-- name: shed
WITH over AS (
    SELECT seq, event_id, intent, envelope FROM {mod}_outbox
    WHERE dispatched_at IS NULL AND priority < 2 AND (%(branch)s::text IS NULL OR branch = %(branch)s)
    ORDER BY priority, seq LIMIT %(n)s FOR UPDATE SKIP LOCKED
), buried AS (
    INSERT INTO {mod}_dead_letter (event_id, place, reason, detail, envelope)
    SELECT event_id, 'outbox', 'shed', %(detail)s, envelope FROM over
    ON CONFLICT (event_id, place) DO UPDATE SET
        reason = excluded.reason, detail = excluded.detail, created_at = now(), replayed_at = NULL
), counted AS (
    INSERT INTO {mod}_herald AS h (target, intent, outcome, n) SELECT '', intent, 'shed', count(*) FROM over GROUP BY intent
    ON CONFLICT (target, intent, outcome) DO UPDATE SET n = h.n + excluded.n
)
UPDATE {mod}_outbox SET dispatched_at = now(), outcome = 'dead' WHERE seq IN (SELECT seq FROM over)
RETURNING seq, event_id, attempts, envelope, created_at;

-- name: backlog
SELECT count(*) FROM (
    SELECT FROM {mod}_outbox
    WHERE dispatched_at IS NULL AND (%(branch)s::text IS NULL OR branch = %(branch)s) LIMIT %(limit)s) waiting;

-- name: count
INSERT INTO {mod}_herald AS h (target, intent, outcome, n) VALUES {rows}
ON CONFLICT (target, intent, outcome) DO UPDATE SET n = h.n + excluded.n;

-- name: counts
SELECT target, intent, outcome, n FROM {mod}_herald ORDER BY target, intent, outcome;

-- name: lock_source
SELECT pg_try_advisory_lock(1280265300, hashtext(%s));

-- name: unlock_sources
SELECT pg_advisory_unlock_all();

-- name: source_holder
SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
               WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.classid = 1280265300);

-- name: sequence_after
SELECT COALESCE(max(seq), 0), count(*) FROM {mod}_outbox WHERE seq > %s;

-- name: missing_after
SELECT g.seq FROM generate_series(%(mark)s::bigint + 1, %(last)s::bigint) g (seq)
WHERE NOT EXISTS (SELECT FROM {mod}_outbox o WHERE o.seq = g.seq) LIMIT 10000;

-- name: message_mark
SELECT COALESCE(max(seq), 0) FROM {mod}_message_mark;

-- name: oldest_open
SELECT LEAST((SELECT min(created_at) FROM {mod}_outbox WHERE dispatched_at IS NULL),
             (SELECT min(received_at) FROM {mod}_inbox WHERE consumed_at IS NULL));

-- name: put_message_mark
-- The newest row stays: numbers go on from it.
INSERT INTO {mod}_message_mark AS m (sender, seq)
SELECT '{mod}', COALESCE((SELECT min(seq) FROM {mod}_outbox WHERE created_at >= %(until)s),
                         (SELECT max(seq) FROM {mod}_outbox), 1) - 1
ON CONFLICT (sender) DO UPDATE SET seq = GREATEST(m.seq, excluded.seq);

-- name: latest_times
SELECT branch, max((envelope::json ->> 'ts')::bigint) FROM {mod}_outbox
WHERE seq < COALESCE((SELECT min(seq) FROM {mod}_outbox WHERE created_at >= %(until)s),
                     (SELECT max(seq) FROM {mod}_outbox))
GROUP BY branch ORDER BY branch;

-- name: old_outbox
SELECT event_id FROM {mod}_outbox WHERE seq <= (SELECT max(seq) FROM {mod}_message_mark) ORDER BY seq LIMIT 5000;

-- name: drop_outbox
DELETE FROM {mod}_outbox WHERE event_id = ANY(%s);

-- name: drop_inbox
DELETE FROM {mod}_inbox WHERE consumed_at < %(until)s AND event_id NOT IN (
    SELECT event_id FROM (
        SELECT event_id, row_number() OVER (PARTITION BY branch, intent ORDER BY arrival DESC) AS nth FROM {mod}_inbox
    ) newest WHERE nth <= 100);

-- name: drop_dead_letter
DELETE FROM {mod}_dead_letter WHERE created_at < %(until)s;

-- name: drop_gap
DELETE FROM {mod}_gap WHERE seq <= (SELECT max(seq) FROM {mod}_message_mark);

-- name: running
SELECT virtualxid FROM pg_locks WHERE locktype = 'virtualxid' AND granted AND pid <> pg_backend_pid();

-- name: put_gap
INSERT INTO {mod}_gap (seq, state) VALUES (%s, %s) ON CONFLICT (seq) DO UPDATE SET state = excluded.state;

-- name: gaps
SELECT seq, state FROM {mod}_gap ORDER BY seq;

-- name: received_with
SELECT envelope, received_at FROM {mod}_inbox WHERE sender = %s AND strpos(envelope, '"seq":' || %s || ',"sig":') > 0;

-- name: heal
INSERT INTO {mod}_outbox (seq, event_id, dedupe_key, lifecycle_id, branch, intent, priority, envelope, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: unanswered
SELECT o.event_id, extract(epoch FROM now() - o.dispatched_at)::float8 FROM {mod}_outbox o
WHERE o.intent = %(intent)s AND o.outcome = 'delivered'
  AND NOT EXISTS (SELECT FROM {mod}_inbox i WHERE i.intent = %(answer)s AND i.lifecycle_id = o.lifecycle_id
                  AND strpos(i.envelope, '"parent_id":"' || o.event_id || '"') > 0)
ORDER BY o.seq;

-- name: replay_outbox
WITH again AS (
    UPDATE {mod}_dead_letter SET replayed_at = now()
    WHERE event_id = %s AND place = 'outbox' AND replayed_at IS NULL RETURNING event_id
)
UPDATE {mod}_outbox SET dispatched_at = NULL, outcome = NULL, attempts = 0, not_before = to_timestamp(0)
WHERE event_id IN (SELECT event_id FROM again);

-- name: replay_inbox
WITH again AS (
    UPDATE {mod}_dead_letter SET replayed_at = now()
    WHERE event_id = %s AND place = 'inbox' AND replayed_at IS NULL RETURNING event_id
)
UPDATE {mod}_inbox SET consumed_at = NULL, outcome = NULL, attempts = 0
WHERE event_id IN (SELECT event_id FROM again);

-- name: dead_letters
SELECT event_id, place, reason, detail FROM {mod}_dead_letter WHERE replayed_at IS NULL ORDER BY event_id, place;

-- name: dead_letter
SELECT event_id, place, reason, detail, envelope FROM {mod}_dead_letter
WHERE event_id = %(event_id)s AND place = %(place)s AND replayed_at IS NULL;

-- name: releases_lately
SELECT DISTINCT said.release FROM (
    SELECT envelope::json ->> 'release' AS release, created_at FROM {mod}_outbox ORDER BY seq DESC LIMIT 100) said
WHERE said.created_at > now() - make_interval(secs => %s);

-- name: lag
SELECT (SELECT count(*) FROM {mod}_outbox WHERE dispatched_at IS NULL),
       (SELECT count(*) FROM {mod}_inbox WHERE consumed_at IS NULL),
       COALESCE(EXTRACT(epoch FROM now() - (SELECT min(received_at) FROM {mod}_inbox WHERE consumed_at IS NULL)), 0)::float8;

-- name: inbox_lag
SELECT COALESCE(percentile_disc(0.99) WITHIN GROUP (ORDER BY waited_s), 0)::float8 FROM (
    SELECT EXTRACT(epoch FROM now() - received_at) AS waited_s FROM {mod}_inbox
    WHERE consumed_at IS NULL AND branch = %(branch)s AND intent = ANY(%(intents)s)
    UNION ALL
    SELECT EXTRACT(epoch FROM consumed_at - received_at) FROM {mod}_inbox
    WHERE consumed_at > now() - make_interval(secs => %(window_s)s)
      AND branch = %(branch)s AND intent = ANY(%(intents)s)
) lately;

-- name: oldest_dead
SELECT COALESCE(EXTRACT(epoch FROM now() - min(created_at)) / 3600, 0)::float8 FROM {mod}_dead_letter
WHERE replayed_at IS NULL;

-- name: anything_open
SELECT EXISTS (SELECT FROM {mod}_outbox WHERE dispatched_at IS NULL AND branch = %(branch)s)
    OR EXISTS (SELECT FROM {mod}_inbox WHERE consumed_at IS NULL AND branch = %(branch)s);

-- name: waiting
SELECT event_id, branch, intent FROM {mod}_inbox
WHERE consumed_at IS NULL AND (%(branch)s::text IS NULL OR branch = %(branch)s)
  AND (%(intents)s::text[] IS NULL OR intent = ANY(%(intents)s))
ORDER BY arrival;

-- name: newest
SELECT envelope FROM {mod}_inbox
WHERE intent = %(intent)s AND outcome = 'applied' AND (%(branch)s::text IS NULL OR branch = %(branch)s)
ORDER BY arrival DESC LIMIT 100;

-- name: put_replica
INSERT INTO {mod}_replica (replica_id, process, capabilities, accepts, produces, preferred, health, latency_ms, reliability, strength)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (replica_id) DO UPDATE SET
    process = excluded.process, capabilities = excluded.capabilities, accepts = excluded.accepts,
    produces = excluded.produces, preferred = excluded.preferred, health = excluded.health,
    started_at = clock_timestamp(), heartbeat_at = clock_timestamp(), ended_at = NULL
RETURNING latency_ms, reliability, applied;

-- name: beat
UPDATE {mod}_replica SET heartbeat_at = clock_timestamp(), health = %(health)s, latency_ms = %(latency_ms)s,
    reliability = %(reliability)s, strength = %(strength)s, applied = %(applied)s,
    ended_at = CASE WHEN %(ended)s THEN clock_timestamp() END
WHERE replica_id = %(replica_id)s;

-- name: live_replicas
SELECT replica_id, strength, capabilities FROM {mod}_replica
WHERE ended_at IS NULL AND health <> 'failing' AND heartbeat_at > clock_timestamp() - make_interval(secs => %s)
ORDER BY replica_id;

-- name: redirect
UPDATE {mod}_inbox i SET replica = (
    SELECT r.replica_id FROM {mod}_replica r WHERE r.replica_id = ANY(%(live)s) AND i.intent = ANY(r.capabilities)
    ORDER BY r.strength DESC, r.replica_id LIMIT 1)
WHERE event_id IN (
    SELECT event_id FROM {mod}_inbox
    WHERE consumed_at IS NULL AND replica IS NOT NULL AND replica <> ALL(%(live)s) FOR UPDATE SKIP LOCKED);

-- name: replicas
SELECT replica_id, process, capabilities, accepts, produces, preferred, health, latency_ms, reliability, strength, applied,
       extract(epoch FROM clock_timestamp() - heartbeat_at)::float8, ended_at IS NOT NULL
FROM {mod}_replica ORDER BY replica_id;
