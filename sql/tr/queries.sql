-- Named queries of the tr database (messages: sql/common/messages.sql). `{rows}` stands for as many rows as there are.

-- name: put_plan
WITH planned AS (
    INSERT INTO tr_plans (plan_id, branch, decision_id, lifecycle_id, kind, coin, venue, stage, created_ms, plan,
                          reference, execution, session)
    VALUES (%(plan_id)s, %(branch)s, %(decision_id)s, %(lifecycle_id)s, %(kind)s, %(coin)s, %(venue)s, %(stage)s,
            %(created_ms)s, %(plan)s, %(reference)s, %(execution)s, %(session)s)
    ON CONFLICT DO NOTHING
)
INSERT INTO tr_strand (id, lifecycle_id, parent_id, kind, symbol, timeframe, session_bucket, regime, decision_id,
                       order_spec, tr_predict, route_hint)
VALUES (%(plan_id)s, %(lifecycle_id)s, %(parent_id)s, %(kind)s, %(coin)s, %(timeframe)s, %(session_bucket)s, %(regime)s,
        %(decision_id)s, %(plan)s, %(foretold)s, %(route_hint)s)
ON CONFLICT DO NOTHING;

-- name: step_plans
UPDATE tr_plans p SET stage = s.stage, execution = s.execution::jsonb, will_hold = s.will_hold::numeric,
       updated_at = now()
FROM (VALUES {rows}) s (plan_id, stage, execution, will_hold) WHERE p.plan_id = s.plan_id;

-- name: open_plans
SELECT p.plan_id, p.branch, p.decision_id, p.lifecycle_id, p.kind, p.coin, p.venue, p.stage, p.created_ms, p.plan,
       p.reference, p.execution, p.ceiling, p.exit_at_ms, p.session, coalesce(s.parent_id, '')
FROM tr_plans p LEFT JOIN tr_strand s ON s.id = p.plan_id
WHERE p.venue = ANY(%s) AND p.session = %s AND p.stage IN ('accepted', 'working') ORDER BY p.created_ms, p.plan_id;

-- name: at_work
SELECT i.event_id FROM tr_inbox i WHERE i.event_id = ANY(%s) AND i.outcome IN ('applied', 'refused')
  AND NOT EXISTS (SELECT FROM tr_strand s JOIN tr_plans p ON p.plan_id = s.id WHERE s.parent_id = i.event_id
                  AND p.stage IN ('done', 'refused') AND p.moved_to IS NULL
                  AND p.updated_at < now() - %s * interval '1 second');

-- name: book_plans
SELECT plan_id, coin, (plan->>'side')::integer, LEAST(coalesce(will_hold, (plan->>'size')::numeric), ceiling),
       coalesce(exit_at_ms, (plan->>'exit_at_ms')::bigint)
FROM tr_plans WHERE session = %s AND kind = 'book' AND stage IN ('accepted', 'working')
  AND (venue, plan->'authority'->>'account') IN (SELECT * FROM unnest(%s::text[], %s::text[]))
ORDER BY created_ms, plan_id;

-- name: book_results
SELECT p.plan_id, p.coin, p.stage, p.created_ms, coalesce((s.exec_metrics->>'funding_usd')::double precision, 0),
       p.plan->'styles', coalesce((p.plan->>'size')::double precision, 0)
FROM tr_plans p LEFT JOIN tr_strand s ON s.id = p.plan_id
WHERE p.branch = %s AND p.kind = 'book' AND p.moved_to IS NULL ORDER BY p.created_ms, p.plan_id;

-- name: book_fills
SELECT o.plan_id, o.purpose, o.sent_ms, f.body FROM tr_fills f JOIN tr_orders o USING (client_id)
JOIN tr_plans p USING (plan_id) WHERE p.branch = %s AND p.kind = 'book' ORDER BY f.time_ms, f.fill_id;

-- name: move_plan
UPDATE tr_plans SET moved_to = %s WHERE plan_id = %s;

-- name: lower_ceiling
UPDATE tr_plans SET ceiling = LEAST(ceiling, %(ceiling)s), updated_at = now()
WHERE plan_id = %(plan_id)s AND stage IN ('accepted', 'working');

-- name: move_exit_on
UPDATE tr_plans SET exit_at_ms = GREATEST(exit_at_ms, %(exit_at_ms)s), updated_at = now()
WHERE plan_id = %(plan_id)s AND stage IN ('accepted', 'working');

-- name: plans_for
SELECT p.plan_id, p.branch, p.decision_id, p.lifecycle_id, p.kind, p.coin, p.venue, p.stage, p.created_ms, p.plan,
       p.reference, p.execution, p.ceiling, p.exit_at_ms, p.session, coalesce(s.parent_id, '')
FROM tr_plans p LEFT JOIN tr_strand s ON s.id = p.plan_id
WHERE p.plan_id = %(name)s OR p.lifecycle_id = %(name)s ORDER BY p.created_ms, p.plan_id;

-- name: traded_days
SELECT DISTINCT to_char(to_timestamp(f.time_ms / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day
FROM tr_fills f JOIN tr_orders o USING (client_id) JOIN tr_plans p USING (plan_id)
WHERE p.branch = %s AND f.venue = ANY(%s) ORDER BY day DESC;

-- name: orders_of_plan
SELECT client_id, plan_id, venue, coin, purpose, state, sent_ms, body FROM tr_orders
WHERE plan_id = %s ORDER BY sent_ms, client_id;

-- name: fills_of_plan
SELECT f.venue, f.fill_id, f.client_id, f.coin, f.time_ms, f.body FROM tr_fills f JOIN tr_orders o USING (client_id)
WHERE o.plan_id = %s ORDER BY f.time_ms, f.fill_id;

-- name: put_tr_orders
INSERT INTO tr_orders (client_id, plan_id, venue, coin, purpose, state, sent_ms, body)
VALUES {rows}
ON CONFLICT (client_id) DO UPDATE SET state = EXCLUDED.state, body = EXCLUDED.body, updated_at = now();

-- name: known_orders
SELECT client_id FROM tr_orders WHERE client_id = ANY(%s);

-- name: plan_styles
SELECT plan_id, plan->'styles' FROM tr_plans WHERE plan_id = ANY(%s) AND plan ? 'styles';

-- name: plan_of_order
SELECT plan_id FROM tr_orders WHERE client_id = %s;

-- name: put_tr_fills
INSERT INTO tr_fills (venue, fill_id, client_id, coin, time_ms, body) VALUES {rows}
ON CONFLICT DO NOTHING;

-- name: put_tr_funding
INSERT INTO tr_funding_paid (venue, account, coin, time_ms, plan_id, usd, body) VALUES {rows}
ON CONFLICT (venue, account, coin, time_ms, plan_id) DO UPDATE SET usd = EXCLUDED.usd, body = EXCLUDED.body
WHERE tr_funding_paid.body <> EXCLUDED.body;

-- name: funding_of_plan
SELECT venue, account, coin, time_ms, plan_id, usd, body FROM tr_funding_paid WHERE plan_id = %s ORDER BY time_ms;

-- name: put_trigger_event
INSERT INTO tr_trigger_events (plan_id, seq, status, time_ms, body) VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: trigger_events_of
SELECT plan_id, seq, status, time_ms, body FROM tr_trigger_events WHERE plan_id = %s ORDER BY seq;

-- name: tr_fill
SELECT venue, fill_id, client_id, coin, time_ms, body FROM tr_fills WHERE fill_id = %s ORDER BY venue LIMIT 1;

-- name: judge_tr_strand
UPDATE tr_strand SET fills = %s, exec_metrics = %s, position_data = %s, updated_at = now() WHERE id = %s;

-- name: knob_trials
SELECT p.plan_id, p.coin, p.venue, p.reference -> 'knobs', s.exec_metrics -> 'slippage_exit_bps',
       (s.exec_metrics ->> 'finished_ts')::bigint
FROM tr_plans p JOIN tr_strand s ON s.id = p.plan_id
WHERE p.branch = %(branch)s AND p.kind = 'book' AND p.stage = 'done' AND p.moved_to IS NULL
  AND p.created_ms >= %(since_ms)s AND p.created_ms < %(until_ms)s
  AND jsonb_typeof(p.reference #> '{knobs,trial}') = 'object'
  AND (s.exec_metrics ->> 'finished_ts')::bigint >= %(from_ms)s
  AND (s.exec_metrics ->> 'finished_ts')::bigint < %(until_ms)s
ORDER BY p.plan_id;

-- name: finished_plans
SELECT p.plan_id, p.venue, p.plan, p.created_ms, s.tr_predict, s.exec_metrics, s.fills, p.reference -> 'style_draw'
FROM tr_plans p JOIN tr_strand s ON s.id = p.plan_id
WHERE p.branch = %(branch)s AND p.stage = 'done' AND (%(venue)s::text IS NULL OR p.venue = %(venue)s)
  AND s.exec_metrics ->> 'status' = ANY(%(due)s) AND (s.exec_metrics ->> 'finished_ts')::bigint < %(before_ms)s
ORDER BY (s.exec_metrics ->> 'finished_ts')::bigint DESC, p.plan_id DESC LIMIT %(most)s;

-- name: venue_executions
SELECT p.venue, p.coin, p.plan, s.fills, s.exec_metrics
FROM tr_plans p JOIN tr_strand s ON s.id = p.plan_id
WHERE p.branch = %(branch)s AND p.stage = 'done' AND s.exec_metrics ->> 'status' = ANY(%(due)s)
  AND (s.exec_metrics ->> 'finished_ts')::bigint >= %(from_ms)s
  AND (s.exec_metrics ->> 'finished_ts')::bigint < %(before_ms)s
ORDER BY (s.exec_metrics ->> 'finished_ts')::bigint DESC, p.plan_id DESC LIMIT %(most)s;

-- name: put_paper_account
INSERT INTO tr_paper_account (account, state, marks) VALUES (%s, %s, %s)
ON CONFLICT (account) DO UPDATE SET state = EXCLUDED.state, marks = EXCLUDED.marks, updated_at = now();

-- name: put_paper_order
INSERT INTO tr_paper_orders (account, client_id, is_final, changed_ms, body) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (account, client_id) DO UPDATE
SET is_final = EXCLUDED.is_final, changed_ms = EXCLUDED.changed_ms, body = EXCLUDED.body;

-- name: put_paper_fill
INSERT INTO tr_paper_fills (account, number, time_ms, body) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: paper_account
SELECT state FROM tr_paper_account WHERE account = %s;

-- name: paper_orders
SELECT body FROM tr_paper_orders WHERE account = %s AND (NOT is_final OR changed_ms >= %s);

-- name: paper_orders_named
SELECT body FROM tr_paper_orders WHERE account = %s AND client_id = ANY(%s);

-- name: paper_fills
SELECT body FROM tr_paper_fills WHERE account = %s AND time_ms >= %s ORDER BY number;

-- name: paper_marks
SELECT account, marks FROM tr_paper_account ORDER BY account;

-- name: outside_tr_plans
COPY (SELECT * FROM tr_plans WHERE branch = %(branch)s AND created_ms >= %(from_ms)s AND created_ms < %(until_ms)s)
TO STDOUT (FORMAT binary);

-- name: outside_tr_strand
COPY (SELECT s.* FROM tr_strand s JOIN tr_plans p ON p.plan_id = s.id
      WHERE p.branch = %(branch)s AND p.created_ms >= %(from_ms)s AND p.created_ms < %(until_ms)s) TO STDOUT (FORMAT binary);

-- name: take_tr_plans
COPY tr_plans FROM STDIN (FORMAT binary);

-- name: take_tr_strand
COPY tr_strand FROM STDIN (FORMAT binary);

-- name: curators_of_plans
SELECT c.key, count(*) FILTER (WHERE jsonb_typeof(c.value -> 'score') = 'number'),
       count(*) FILTER (WHERE (c.value ->> 'objects')::boolean), count(x.slippage), avg(x.slippage)
FROM tr_plans p JOIN tr_strand s ON s.id = p.plan_id
    CROSS JOIN LATERAL jsonb_each(s.tr_predict -> 'curators') c
    CROSS JOIN LATERAL (SELECT CASE WHEN p.stage = 'done' AND NOT (c.value ->> 'objects')::boolean
        THEN (s.exec_metrics ->> 'slippage_arrival_bps')::double precision END AS slippage) x
WHERE p.branch = %s AND p.kind = 'book' AND p.created_ms >= %s AND p.created_ms < %s
  AND jsonb_typeof(s.tr_predict -> 'curators') = 'object'
GROUP BY c.key ORDER BY c.key;

-- name: outside_tr_braid_reviews
COPY (SELECT * FROM tr_braid_reviews WHERE branch = %(branch)s AND asof_day >= %(after)s AND asof_day < %(day)s)
TO STDOUT (FORMAT binary);

-- name: take_tr_braid_reviews
COPY tr_braid_reviews FROM STDIN (FORMAT binary);

-- name: drop_trigger_events
DELETE FROM tr_trigger_events e USING tr_plans p
WHERE p.plan_id = e.plan_id AND p.branch = %s AND p.stage IN ('done', 'refused') AND p.created_ms < %s AND e.time_ms < %s;
