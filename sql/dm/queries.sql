-- Named queries of the dm database (messages: sql/common/messages.sql).

-- name: put_decision
INSERT INTO dm_decisions (decision_id, branch, lifecycle_id, kind, time_ms, ticket) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: decision_of
SELECT ticket FROM dm_decisions WHERE decision_id = %s;

-- name: put_decision_strand
INSERT INTO dm_strand (id, lifecycle_id, parent_id, kind, symbol, timeframe, alpha_bundle_ref, dm_decision)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: judge_decision_strand
UPDATE dm_strand SET eval = %s, updated_at = now() WHERE id = %s;

-- name: put_knowledge
INSERT INTO dm_knowledge (branch, day, kind, name, body) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (branch, day, kind, name) DO UPDATE SET body = EXCLUDED.body WHERE dm_knowledge.body <> EXCLUDED.body;

-- name: night_before
SELECT max(day) FROM dm_knowledge WHERE branch = %s AND kind = %s AND name = %s AND day < %s HAVING max(day) IS NOT NULL;

-- name: knowledge_of_night
SELECT kind, name, body FROM dm_knowledge WHERE branch = %s AND day = %s AND kind <> %s;

-- name: newest_of_kind
SELECT DISTINCT ON (name) name, body FROM dm_knowledge
WHERE branch = %s AND kind = %s AND day <= %s ORDER BY name, day DESC;
