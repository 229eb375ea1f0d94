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
