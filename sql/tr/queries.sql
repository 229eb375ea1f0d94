-- Named queries of the tr database (messages: sql/common/messages.sql).

-- name: put_plan
INSERT INTO tr_plans (plan_id, branch, decision_id, lifecycle_id, kind, coin, venue, stage, created_ms, plan, reference,
                      execution)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: step_plan
UPDATE tr_plans SET stage = %s, execution = %s, updated_at = now() WHERE plan_id = %s;

-- name: open_plans
SELECT plan_id, branch, decision_id, lifecycle_id, kind, coin, venue, stage, created_ms, plan, reference, execution
FROM tr_plans WHERE venue = %s AND stage IN ('accepted', 'working') ORDER BY created_ms, plan_id;

-- name: plans_of
SELECT plan_id, branch, decision_id, lifecycle_id, kind, coin, venue, stage, created_ms, plan, reference, execution
FROM tr_plans WHERE plan_id = ANY(%s) ORDER BY created_ms, plan_id;

-- name: put_tr_order
INSERT INTO tr_orders (client_id, plan_id, venue, coin, purpose, state, sent_ms, body)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (client_id) DO UPDATE SET state = EXCLUDED.state, body = EXCLUDED.body, updated_at = now();

-- name: plan_of_order
SELECT plan_id FROM tr_orders WHERE client_id = %s;

-- name: put_tr_fill
INSERT INTO tr_fills (venue, fill_id, client_id, coin, time_ms, body) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: tr_fill
SELECT venue, fill_id, client_id, coin, time_ms, body FROM tr_fills WHERE fill_id = %s ORDER BY venue LIMIT 1;

-- name: put_tr_funding
INSERT INTO tr_funding (venue, coin, time_ms, usd, body) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: put_tr_strand
INSERT INTO tr_strand (id, lifecycle_id, parent_id, kind, symbol, decision_id, order_spec) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: judge_tr_strand
UPDATE tr_strand SET fills = %s, exec_metrics = %s, position_data = %s, updated_at = now() WHERE id = %s;

-- name: read_paper_account
SELECT state FROM tr_paper_account WHERE account = %s;

-- name: write_paper_account
INSERT INTO tr_paper_account (account, state) VALUES (%s, %s)
ON CONFLICT (account) DO UPDATE SET state = EXCLUDED.state, updated_at = now();
