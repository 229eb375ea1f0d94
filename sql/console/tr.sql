-- What the console reads in tr. Every query takes %(branch)s; a searched one takes %(search)s, '' for none.

-- name: plans
SELECT plan_id, created_ms, kind, coin, venue, stage, plan ->> 'side' AS side, plan ->> 'size' AS size,
       plan -> 'styles' ->> 'entry' AS entry, plan ->> 'strategy' AS strategy, will_hold::text AS will_hold,
       exit_at_ms, decision_id, lifecycle_id
FROM tr_plans WHERE branch = %(branch)s;

-- name: orders
SELECT o.client_id, o.sent_ms, o.coin, o.venue, o.purpose, o.state, o.body -> 'order' ->> 'side' AS side,
       o.body -> 'order' ->> 'size' AS size, o.body ->> 'filled' AS filled, o.body -> 'order' ->> 'limit_px' AS limit_px,
       o.body ->> 'reason' AS reason, (o.body ->> 'answered_ms')::bigint - o.sent_ms AS answer_ms, o.plan_id
FROM tr_orders o JOIN tr_plans p ON p.plan_id = o.plan_id WHERE p.branch = %(branch)s;

-- name: open_positions
SELECT coin, venue, kind, count(*) AS plans, sum(will_hold)::text AS will_hold, min(created_ms) AS oldest_ms,
       min(exit_at_ms) AS next_exit_ms
FROM tr_plans WHERE branch = %(branch)s AND stage IN ('accepted', 'working') GROUP BY coin, venue, kind
ORDER BY coin, venue, kind;

-- name: paid_by_style
SELECT p.venue, p.kind, p.plan -> 'styles' ->> 'entry' AS entry, p.plan -> 'styles' ->> 'exit' AS exit, count(*) AS plans,
       count(*) FILTER (WHERE s.exec_metrics ->> 'status' = 'filled') AS filled,
       sum((s.exec_metrics -> 'pnl' ->> 'gross_usd')::double precision) AS gross_usd,
       sum((s.exec_metrics -> 'fees' ->> 'maker_usd')::double precision
           + (s.exec_metrics -> 'fees' ->> 'taker_usd')::double precision) AS fees_usd,
       sum((s.exec_metrics -> 'pnl' ->> 'net_usd')::double precision) AS net_usd,
       avg((s.exec_metrics -> 'pnl' ->> 'net_bps')::double precision) AS net_bps,
       avg((s.exec_metrics ->> 'slippage_arrival_bps')::double precision) AS slippage_bps,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY (s.exec_metrics ->> 'fill_latency_ms')::double precision) AS latency_ms
FROM (SELECT plan_id, venue, kind, plan FROM tr_plans WHERE branch = %(branch)s AND stage = 'done'
      ORDER BY created_ms DESC LIMIT 5000) AS p
JOIN tr_strand s ON s.id = p.plan_id WHERE s.exec_metrics IS NOT NULL
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- name: plans_changed
SELECT max(updated_at) AS changed FROM tr_plans WHERE branch = %(branch)s;
