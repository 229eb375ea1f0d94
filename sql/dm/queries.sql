-- Named queries of the dm database (messages: sql/common/messages.sql).

-- name: put_decision
WITH decision AS (
    INSERT INTO dm_decisions (decision_id, branch, lifecycle_id, kind, time_ms, ticket)
    VALUES (%(decision_id)s, %(branch)s, %(lifecycle_id)s, %(kind)s, %(time_ms)s, %(ticket)s) ON CONFLICT DO NOTHING
)
INSERT INTO dm_strand (id, lifecycle_id, parent_id, kind, symbol, timeframe, session_bucket, regime, alpha_bundle_ref,
                       dm_alpha, dm_budget, dm_decision)
VALUES (%(decision_id)s, %(lifecycle_id)s, %(parent_id)s, %(kind)s, %(symbol)s, %(timeframe)s, %(session_bucket)s,
        %(regime)s, %(lifecycle_id)s, %(dm_alpha)s, %(dm_budget)s, %(decision_id)s)
ON CONFLICT DO NOTHING;

-- name: decision_of
SELECT ticket FROM dm_decisions WHERE decision_id = %s;

-- name: judge_book_strand
UPDATE dm_strand SET eval = coalesce(eval, '{}') || jsonb_build_object(%s::text, %s::jsonb), updated_at = now() WHERE id = %s;

-- name: void_book_plans
SELECT plan.key FROM dm_decisions d JOIN dm_strand s ON s.id = d.decision_id
CROSS JOIN jsonb_each(coalesce(s.eval, '{}')) AS plan WHERE d.branch = %s AND d.kind = 'book'
  AND d.time_ms >= %s AND d.time_ms < %s AND coalesce(plan.value ->> 'void', '') <> '';

-- name: judge_decision_strand
UPDATE dm_strand SET eval = coalesce(eval, '{}'::jsonb) || %s::jsonb, updated_at = now() WHERE id = %s;

-- name: note_trigger
UPDATE dm_strand SET eval = coalesce(eval, '{}'::jsonb)
    || jsonb_build_object('triggers', coalesce(eval->'triggers', '[]'::jsonb) || %s::jsonb), updated_at = now()
WHERE id = %s;

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

-- name: put_input
INSERT INTO dm_inputs (branch, kind, event_id, source, coin, horizon_s, window_end_ms, valid_until_ms, body, refused,
                       context)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: withdraw_input
INSERT INTO dm_inputs (branch, kind, event_id, source, coin, horizon_s, window_end_ms, valid_until_ms, body, withdrawn)
VALUES (%s, 'view', %s, '', '', 0, %s, %s, '{}', %s)
ON CONFLICT (branch, kind, event_id) DO UPDATE SET withdrawn = EXCLUDED.withdrawn WHERE dm_inputs.withdrawn = '';

-- name: input_time
SELECT window_end_ms FROM dm_inputs WHERE branch = %s AND kind = 'view' AND event_id = %s;

-- name: live_views
SELECT DISTINCT ON (source, coin, horizon_s) body FROM dm_inputs
WHERE branch = %(branch)s AND kind = 'view' AND window_end_ms <= %(now_ms)s AND valid_until_ms > %(now_ms)s
  AND refused = '{}' AND withdrawn = ''
ORDER BY source, coin, horizon_s, valid_until_ms DESC, event_id DESC;

-- name: live_contexts
SELECT DISTINCT ON (coin) coin, context FROM dm_inputs
WHERE branch = %(branch)s AND kind = 'view' AND window_end_ms <= %(now_ms)s AND valid_until_ms > %(now_ms)s
  AND refused = '{}' AND withdrawn = '' AND context <> ''
ORDER BY coin, window_end_ms DESC, event_id;

-- name: live_cues
SELECT body FROM dm_inputs
WHERE branch = %(branch)s AND kind = 'cue' AND window_end_ms <= %(now_ms)s AND valid_until_ms > %(now_ms)s AND refused = '{}'
ORDER BY coin, window_end_ms, source, event_id;

-- name: put_wish
INSERT INTO dm_wishes (branch, act_id, coin, log, author, reason, from_day, until_day, lifts, event_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: live_wishes
SELECT w.act_id, w.branch, w.coin, w.log, w.author, w.reason, w.from_day, w.until_day, w.lifts FROM dm_wishes w
WHERE w.branch = %(branch)s AND w.lifts = '' AND w.from_day <= %(day)s AND w.until_day > %(day)s
  AND NOT EXISTS (SELECT FROM dm_wishes l WHERE l.branch = w.branch AND l.lifts = w.act_id)
ORDER BY w.coin, w.author, w.act_id;

-- name: all_wishes
SELECT w.act_id, w.branch, w.coin, w.log, w.author, w.reason, w.from_day, w.until_day, w.lifts FROM dm_wishes w
WHERE w.branch = %s ORDER BY w.from_day, w.act_id;

-- name: refused_inputs
SELECT kind, event_id, source, coin, window_end_ms, refused FROM dm_inputs
WHERE branch = %s AND refused <> '{}' ORDER BY window_end_ms, kind, event_id;

-- name: forget_inputs
DELETE FROM dm_inputs WHERE branch = %s AND valid_until_ms <= %s;

-- name: book_standing
SELECT window_end_ms, standing FROM dm_book WHERE branch = %s AND portfolio_id = %s;

-- name: put_book_standing
INSERT INTO dm_book (branch, portfolio_id, window_end_ms, standing) VALUES (%s, %s, %s, %s)
ON CONFLICT (branch, portfolio_id) DO UPDATE
SET window_end_ms = EXCLUDED.window_end_ms, standing = EXCLUDED.standing, updated_at = now()
WHERE dm_book.window_end_ms < EXCLUDED.window_end_ms RETURNING window_end_ms;

-- name: put_policy_trial
INSERT INTO dm_policy_trials (branch, portfolio_id, window_end_ms, matures_ms, body) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: policy_trials
SELECT body FROM dm_policy_trials
WHERE branch = %s AND matures_ms >= %s AND matures_ms < %s ORDER BY matures_ms, portfolio_id, window_end_ms;

-- name: outside_dm_policy_trials
COPY (SELECT * FROM dm_policy_trials WHERE branch = %(branch)s AND matures_ms >= %(from_ms)s AND matures_ms < %(until_ms)s)
TO STDOUT (FORMAT binary);

-- name: take_dm_policy_trials
COPY dm_policy_trials FROM STDIN (FORMAT binary);

-- name: curators_of_decisions
SELECT c.name, c.acted, count(*) FILTER (WHERE c.hit), count(*)
FROM dm_decisions d CROSS JOIN LATERAL (VALUES
    ('risk', 'with a cut cap', jsonb_array_length(d.ticket #> '{curation,cuts}') > 0),
    ('compliance', 'with a veto', jsonb_array_length(d.ticket #> '{curation,vetoes}') > 0),
    ('overlay', 'with a wish taken', jsonb_array_length(d.ticket #> '{curation,nudges}') > 0)
) c (name, acted, hit)
WHERE d.branch = %s AND d.kind = 'book' AND d.time_ms >= %s AND d.time_ms < %s
  AND jsonb_typeof(d.ticket #> '{curation,cuts}') = 'array'
GROUP BY c.name, c.acted ORDER BY c.name;

-- name: outside_dm_braid_reviews
COPY (SELECT * FROM dm_braid_reviews WHERE branch = %(branch)s AND asof_day >= %(after)s AND asof_day < %(day)s)
TO STDOUT (FORMAT binary);

-- name: take_dm_braid_reviews
COPY dm_braid_reviews FROM STDIN (FORMAT binary);

-- name: has_old_trials
SELECT EXISTS (SELECT FROM dm_policy_trials WHERE branch = %s AND matures_ms < %s);

-- name: drop_trials
DELETE FROM dm_policy_trials WHERE branch = %s AND matures_ms < %s;
