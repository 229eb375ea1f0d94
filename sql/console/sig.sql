-- What the console reads in sig. Every query takes %(branch)s; a searched one takes %(search)s, '' for none.

-- name: newest
SELECT (SELECT max(committed_at) FROM day_commits WHERE branch = %(branch)s) AS committed,
       (SELECT max(effective_from_ms) FROM priors_in_force WHERE branch = %(branch)s) AS swapped,
       (SELECT max(created_at) FROM braid_reviews WHERE branch = %(branch)s) AS reviewed;

-- name: nights
SELECT day FROM day_commits WHERE branch = %(branch)s AND stage = 'lessons' ORDER BY day DESC LIMIT 400;

-- name: lessons
SELECT lesson_id, day, detector_id, horizon_s, state, grade, reason, uplift_bps, lcb_bps, body
FROM lessons
WHERE branch = %(branch)s AND (%(search)s = '' OR words @@ to_tsquery('simple', %(search)s));

-- name: lessons_with_words
SELECT lesson_id, day, detector_id, horizon_s, state, grade, reason, uplift_bps, lcb_bps, body
FROM (  -- OFFSET 0: found by the words first, however few rows are shown
    SELECT * FROM lessons WHERE branch = %(branch)s AND words @@ to_tsquery('simple', %(search)s) OFFSET 0
) found;

-- name: count_of_words
SELECT count(*) AS lessons FROM (
    SELECT FROM lessons WHERE words @@ to_tsquery('simple', %(search)s) LIMIT %(most)s) found;

-- name: lesson
SELECT lesson_id, branch, day, body FROM lessons WHERE lesson_id = %(lesson_id)s ORDER BY day LIMIT 1;

-- name: braids_of_lessons
SELECT DISTINCT ON (braid_id) braid_id, new_state AS state, reason, body ->> 'lesson_id' AS lesson_id,
       (body ->> 'expires_at_ms')::bigint AS expires_at_ms, body
FROM braid_history WHERE branch = %(branch)s AND body ->> 'lesson_id' = ANY (%(lessons)s)
ORDER BY braid_id, day DESC, ordinal DESC;

-- name: counts_of_night
SELECT count(*) FILTER (WHERE state <> 'REFUSED') AS found, count(*) FILTER (WHERE state = 'REFUSED') AS refused
FROM lessons WHERE branch = %(branch)s AND day = %(day)s;

-- name: shuffled_night
SELECT day, body FROM experiments
WHERE branch = %(branch)s AND kind = 'night' AND (body ->> 'looked')::boolean AND (%(day)s = '' OR day = %(day)s)
ORDER BY day DESC LIMIT 1;

-- Operations: home, tape, live, detectors, experiments.

-- name: checks_of_newest
SELECT c.day, c.stage, k ->> 'name' AS name, (k ->> 'passed')::boolean AS passed,
       COALESCE((k ->> 'unseen')::boolean, false) AS unseen, k ->> 'text' AS text
FROM day_commits c CROSS JOIN LATERAL jsonb_array_elements(c.notes -> 'checks') AS k
WHERE c.branch = %(of)s AND c.day = (SELECT max(day) FROM day_commits WHERE branch = %(of)s);

-- name: checks_named
SELECT day, stage, k ->> 'name' AS name, (k ->> 'passed')::boolean AS passed,
       COALESCE((k ->> 'unseen')::boolean, false) AS unseen, k ->> 'text' AS text
FROM (SELECT day, stage, notes FROM day_commits WHERE branch = %(of)s AND stage = %(stage)s ORDER BY day DESC LIMIT 60) AS c
CROSS JOIN LATERAL jsonb_array_elements(c.notes -> 'checks') AS k WHERE k ->> 'name' = %(name)s ORDER BY day DESC;

-- name: nights_ended
SELECT (SELECT max(day) FROM day_commits WHERE branch = %(branch)s AND stage = 'active_priors') AS ended,
       (SELECT max(day) FROM day_commits WHERE branch = %(branch)s) AS begun,
       (SELECT max(day) FROM day_commits WHERE branch = %(branch)s AND stage = 'braids') AS reviewed,
       (SELECT max(day) FROM tape_segments WHERE tape = %(tape)s AND state = 'closed') AS recorded,
       (SELECT max(last_recv_ns) / 1000000 FROM tape_segments WHERE tape = %(tape)s) AS received_ms;

-- name: in_force
SELECT f.priors_ver, f.effective_from_ms, p.day, jsonb_array_length(p.payload::jsonb -> 'braids') AS braids
FROM priors_in_force f JOIN active_priors p ON p.branch = f.branch AND p.priors_ver = f.priors_ver
WHERE f.branch = %(branch)s AND f.postponed_to_ms IS NULL ORDER BY f.effective_from_ms DESC LIMIT 1;

-- name: acts_waiting
SELECT count(*) AS waiting FROM braid_reviews WHERE branch = %(branch)s AND asof_day >= %(reviewed)s;

-- name: proposals_waiting
SELECT count(*) AS waiting FROM braid_history h
WHERE h.branch = %(branch)s AND h.new_state = 'proposed' AND NOT EXISTS (
    SELECT FROM braid_history later WHERE later.branch = h.branch AND later.braid_id = h.braid_id
    AND (later.day, later.ordinal) > (h.day, h.ordinal));

-- name: audits_of_newest
SELECT name, day, (body -> 'state' ->> 'alarm')::boolean AS alarm FROM experiments
WHERE branch = %(branch)s AND kind = 'audit'
  AND day = (SELECT max(day) FROM day_commits WHERE branch = %(branch)s AND stage = 'lessons');

-- name: earned
SELECT count(*) AS windows, COALESCE(sum((body -> 'report' -> 'pnl' ->> 'net_usd')::double precision), 0) AS net_usd,
       max(window_end_ms) AS newest_ms, string_agg(DISTINCT venue, ', ') AS venues
FROM executions WHERE branch = %(branch)s AND outcome = 'closed' AND void = ''
  AND window_end_ms > (SELECT max(window_end_ms) FROM executions WHERE branch = %(branch)s) - 7 * 86400000::bigint;

-- name: money_days
SELECT day, with_usd, without_usd, with_usd - without_usd AS gain_usd, with_windows, without_windows,
       sum(with_usd) OVER (ORDER BY day) AS with_sum_usd, sum(without_usd) OVER (ORDER BY day) AS without_sum_usd
FROM (
    SELECT day, (notes -> 'notes' ->> 'with_beliefs_usd')::float8 AS with_usd,
           (notes -> 'notes' ->> 'without_beliefs_usd')::float8 AS without_usd,
           (notes -> 'notes' ->> 'with_beliefs_windows')::bigint AS with_windows,
           (notes -> 'notes' ->> 'without_beliefs_windows')::bigint AS without_windows
    FROM day_commits WHERE branch = %(branch)s AND stage = 'signal_eval'
) AS days WHERE with_usd IS NOT NULL AND without_usd IS NOT NULL;

-- name: tape_days
SELECT s.day, s.segments, s.lines, s.bytes, s.damaged, s.first_ms, s.last_ms,
       (c.notes -> 'notes' ->> 'quarantined')::bigint AS quarantined,
       (c.notes -> 'notes' ->> 'duplicates')::bigint AS duplicates,
       (c.notes -> 'notes' ->> 'late_share')::double precision AS late_share,
       (f.notes -> 'notes' ->> 'gaps')::bigint AS gaps,
       NOT EXISTS (SELECT FROM jsonb_array_elements(c.notes -> 'checks') k WHERE NOT (k ->> 'passed')::boolean) AND c.day IS NOT NULL
           AS checked
FROM (
    SELECT day, count(*) AS segments, sum(lines)::bigint AS lines, sum(bytes)::bigint AS bytes,
           count(*) FILTER (WHERE state = 'damaged') AS damaged,
           min(first_recv_ns) / 1000000 AS first_ms, max(last_recv_ns) / 1000000 AS last_ms
    FROM tape_segments WHERE tape = %(tape)s GROUP BY day) AS s
LEFT JOIN day_commits c ON c.branch = %(of)s AND c.day = s.day AND c.stage = 'raw_tape'
LEFT JOIN day_commits f ON f.branch = %(of)s AND f.day = s.day AND f.stage = 'microtape_frames';

-- name: tape_segments
SELECT day, path, state, lines, bytes, first_recv_ns / 1000000 AS first_ms, last_recv_ns / 1000000 AS last_ms,
       jsonb_array_length(gaps) AS silences, sha256
FROM tape_segments WHERE tape = %(tape)s;

-- name: quarantine
SELECT day, kind, seq, detail, sample FROM quarantine WHERE tape = %(tape)s;

-- name: parity
SELECT day, stage, (k ->> 'passed')::boolean AS passed, COALESCE((k ->> 'unseen')::boolean, false) AS unseen,
       k ->> 'text' AS text, c.committed_at
FROM day_commits c CROSS JOIN LATERAL jsonb_array_elements(c.notes -> 'checks') AS k
WHERE c.branch = %(branch)s AND c.stage = 'signal_events' AND k ->> 'name' = 'live_parity';

-- name: checks_of_day
SELECT stage, k ->> 'name' AS name, (k ->> 'passed')::boolean AS passed,
       COALESCE((k ->> 'unseen')::boolean, false) AS unseen, k ->> 'text' AS text
FROM day_commits c CROSS JOIN LATERAL jsonb_array_elements(c.notes -> 'checks') AS k
WHERE c.branch = %(of)s AND c.day = %(day)s AND k ->> 'name' <> 'schema' ORDER BY c.committed_at, c.stage;

-- name: runs
SELECT run_id, tape, replayed, created_at FROM live_runs WHERE branch = %(branch)s ORDER BY created_at DESC LIMIT 10;

-- name: publications
SELECT e.event_id, e.window_end_ms, e.detector_id, e.asset, CASE WHEN e.s > 0 THEN 'long' ELSE 'short' END AS side, e.s,
       e.pi, e.kairos, e.spread_bps, e.priors_ver, e.run_id, x.payoff_bps, x.outcome
FROM live_events e LEFT JOIN executions x ON x.branch = e.branch AND x.event_id = e.event_id
WHERE e.branch = %(branch)s AND e.published;

-- name: scores
SELECT event_id, window_end_ms, detector_id, asset, s, exp(ln_sigma_tilde) AS score, tau_pub, pi, published, draw, veto
FROM live_events WHERE branch = %(branch)s AND run_id = %(run)s AND event_id = ANY (%(events)s)
ORDER BY window_end_ms DESC, pi DESC, score DESC, detector_id, asset;

-- name: features_of_run
SELECT detector_id, asset, window_end_ms, s, theta1, pi, published, b_vol, b_hbar, b_mx, b_depth_slope,
       b_imbalance, b_oi, b_funding, b_basis, b_spread, b_session, b_flow, b_trend, x_vol, x_hbar, x_mx,
       x_depth_slope, x_imbalance, x_oi, x_funding, x_basis, x_spread, x_session, x_flow, x_trend
FROM live_events WHERE branch = %(branch)s AND run_id = %(run)s AND event_id = ANY (%(events)s)
ORDER BY window_end_ms;

-- name: features_of_day
SELECT detector_id, asset, window_end_ms, s, theta1, pi, published, b_vol, b_hbar, b_mx, b_depth_slope,
       b_imbalance, b_oi, b_funding, b_basis, b_spread, b_session, b_flow, b_trend, x_vol, x_hbar, x_mx,
       x_depth_slope, x_imbalance, x_oi, x_funding, x_basis, x_spread, x_session, x_flow, x_trend
FROM signal_events WHERE branch = %(branch)s AND day = ANY (%(days)s) AND event_id = ANY (%(events)s)
ORDER BY window_end_ms;

-- name: acts_of_console
SELECT command, body ->> 'who' AS who, body ->> 'reason' AS reason, body ->> 'event_id' AS subject,
       (extract(epoch FROM created_at) * 1000)::bigint AS time_ms
FROM control WHERE command LIKE 'page: %%' ORDER BY command_id DESC LIMIT 20;

-- name: messages
SELECT seq, event_id, lifecycle_id, intent, priority, attempts, COALESCE(outcome, 'waits') AS outcome,
       (extract(epoch FROM created_at) * 1000)::bigint AS created_ms
FROM sig_outbox WHERE branch = %(branch)s;

-- name: nights_of_detector
SELECT d.day, (d.body ->> 'windows')::bigint AS windows, (d.body ->> 'published')::bigint AS published,
       (d.body ->> 'rules_searched')::bigint AS rules, (d.body ->> 'best_m_nats')::double precision AS best_nats,
       d.body ->> 'reason' AS reason, (a.body ->> 'calibration_z')::double precision AS calibration_z,
       (a.body ->> 'placebo_z')::double precision AS placebo_z, (a.body -> 'state' ->> 'alarm')::boolean AS alarm
FROM experiments d LEFT JOIN experiments a
    ON a.branch = d.branch AND a.day = d.day AND a.kind = 'audit' AND a.name = d.name
WHERE d.branch = %(branch)s AND d.kind = 'detector' AND d.name = %(detector_id)s ORDER BY d.day DESC LIMIT 60;

-- name: experts
SELECT e.expert_id, e.spec_id, e.version, e.kind, e.status, e.place, e.weight, e.vote, e.reliability, e.reliability_low,
       e.reliability_high, e.judged_day, e.spec ->> 'idea' AS idea, s.calls, s.below_floor, s.twin,
       s.weight AS weight_in_force
FROM dsi_experts e LEFT JOIN dsi_expert_stats s
    ON s.branch = %(branch)s AND s.expert_id = e.expert_id AND s.spec_id = e.spec_id AND s.asset = ''
    AND s.day = (SELECT max(day) FROM dsi_expert_stats WHERE branch = %(branch)s);

-- name: trials_ever
SELECT coalesce(max(number), 0) AS n FROM candidate_trials;

-- name: candidates
SELECT p.candidate_id, p.night, p.run, t.number, t.origin, t.operator, t.knows_until,
       (p.body ->> 't')::double precision AS t, (p.body ->> 'horizon_s')::integer AS horizon_s,
       (p.body ->> 'nodes')::integer AS nodes,
       CASE WHEN (p.body ->> 'side')::integer < 0 THEN '-(' || (p.body ->> 'expression') || ')'
            ELSE p.body ->> 'expression' END AS expression,
       s.state, s.check_name, s.value, s.bound, s.reason
FROM (
    SELECT DISTINCT ON (candidate_id) candidate_id, night, run, body FROM candidate_life
    WHERE branch = %(branch)s AND state = 'proposed' ORDER BY candidate_id, night DESC, created_at DESC
) p
JOIN candidate_trials t USING (candidate_id)
CROSS JOIN LATERAL (
    SELECT state, check_name, value, bound, reason FROM (
        SELECT night, created_at, state, check_name, value, bound, reason FROM candidate_life l
        WHERE l.branch = %(branch)s AND l.candidate_id = p.candidate_id
        UNION ALL SELECT day, created_at, step, check_name, value, bound, reason FROM candidate_steps c
        WHERE c.branch = %(branch)s AND c.candidate_id = p.candidate_id
    ) every ORDER BY night DESC, created_at DESC, state = 'proposed' LIMIT 1
) s;

-- name: candidate
SELECT p.candidate_id, p.night, p.run, p.body, t.number, t.origin, t.operator, t.generation, t.parents, t.knows_until
FROM candidate_life p JOIN candidate_trials t USING (candidate_id)
WHERE p.branch = %(branch)s AND p.candidate_id = %(candidate)s AND p.state = 'proposed'
ORDER BY p.night DESC, p.created_at DESC LIMIT 1;

-- name: life_of_candidate
SELECT night, state, check_name, value, bound, reason FROM (
    SELECT night, created_at, state, check_name, value, bound, reason FROM candidate_life
    WHERE branch = %(branch)s AND candidate_id = %(candidate)s
    UNION ALL SELECT day, created_at, step, check_name, value, bound, reason FROM candidate_steps
    WHERE branch = %(branch)s AND candidate_id = %(candidate)s
) every ORDER BY night, created_at, state <> 'proposed' LIMIT 1000;

-- name: forward_days_of_candidate
SELECT day, gain_bps, weight, spoken, e_value, peak, state FROM candidate_days
WHERE branch = %(branch)s AND candidate_id = %(candidate)s ORDER BY day LIMIT 1000;

-- name: steps_of_candidate
SELECT kind, t_before, t_after, taken, expression FROM candidate_refinements
WHERE run = %(run)s AND (parent_id = %(candidate)s OR candidate_id = %(candidate)s)
ORDER BY kind, t_after DESC, candidate_id LIMIT 200;

-- name: run_of_candidate
SELECT metrics FROM v_experiments WHERE branch = %(branch)s AND kind = 'breed' AND config ->> 'run' = %(run)s
ORDER BY started_at DESC LIMIT 1;

-- name: opinions_on_candidate
SELECT origin, author, text FROM attachments WHERE branch = %(branch)s AND candidate_id = %(candidate)s
ORDER BY created_at, attachment_id LIMIT 200;

-- name: model_calls
SELECT call_id, request_hash, run, mode, model_asked, model, knows_until, tokens_in, tokens_out, usage_told, micro_usd,
       took_ms, verdict, called_at
FROM llm_calls WHERE branch = %(branch)s;

-- name: model_spent
SELECT coalesce(sum(coalesce(micro_usd, worst_micro_usd))
                FILTER (WHERE reserved_at >= date_trunc('month', now(), 'UTC')), 0)::bigint AS month_micro_usd,
       coalesce(sum(coalesce(tokens, worst_tokens))
                FILTER (WHERE reserved_at >= date_trunc('day', now(), 'UTC')), 0)::bigint AS day_tokens,
       count(*) FILTER (WHERE settled_at IS NULL) AS unsettled, count(*) AS ever
FROM llm_budget;

-- name: newest_refusal
SELECT max(night) AS night FROM llm_refusals WHERE branch = %(branch)s;

-- name: refusals_since
SELECT code, count(*) AS times FROM llm_refusals WHERE branch = %(branch)s AND night > %(night)s
GROUP BY code ORDER BY times DESC, code;

-- name: experiments
SELECT day, kind, name, git_sha, body FROM experiments WHERE branch = %(branch)s;

-- name: experiments_run
SELECT run_id, kind, status, config, metrics, fixtures_hash, git_sha, started_at,
       extract(epoch FROM finished_at - started_at)::double precision AS seconds
FROM v_experiments WHERE branch = %(branch)s AND started_at IS NOT NULL;

-- name: what_ifs
SELECT what_if_id, number, from_day, to_day, change, body, created_at FROM what_ifs WHERE branch = %(branch)s;

-- name: experiment
SELECT day, kind, name, git_sha, body FROM experiments
WHERE branch = %(branch)s AND day = %(day)s AND kind = %(kind)s AND name = %(name)s;

-- name: days_of_experiment
SELECT day FROM experiments WHERE branch = %(branch)s AND kind = %(kind)s AND name = %(name)s ORDER BY day DESC LIMIT 60;

-- Beliefs: loom, braids, strands, atoms, curation.

-- name: windows
SELECT e.event_id, e.day, e.window_end_ms, e.detector_id, e.asset, e.s, e.pi, e.u - e.u0 AS moved_logit,
       e.fired <> 0 AS moved, o.payoff_y, o.status
FROM signal_events e LEFT JOIN signal_eval o ON o.event_id = e.event_id
WHERE e.branch = %(branch)s AND e.published;

-- name: newest_moved
SELECT event_id FROM signal_events
WHERE branch = %(branch)s AND published AND fired <> 0 ORDER BY window_end_ms DESC, event_id LIMIT 1;

-- name: newest_published
SELECT event_id FROM signal_events
WHERE branch = %(branch)s AND published ORDER BY window_end_ms DESC, event_id LIMIT 1;

-- name: last_window
SELECT window_end_ms FROM signal_events WHERE branch = %(branch)s AND day = %(day)s
ORDER BY window_end_ms DESC LIMIT 1;

-- name: braids_named
SELECT DISTINCT ON (braid_id) braid_id, new_state AS state, reason, body FROM braid_history
WHERE braid_id = ANY (%(braids)s) ORDER BY braid_id, day DESC, ordinal DESC;

-- name: lessons_named
SELECT lesson_id, day, body FROM lessons WHERE branch = %(branch)s AND lesson_id = ANY (%(lessons)s);

-- name: version_payload
SELECT payload, day FROM active_priors WHERE branch = %(branch)s AND priors_ver = %(version)s;

-- name: sample_windows
SELECT e.event_id, e.detector_id, e.asset, e.window_start_ms, e.window_end_ms, e.horizon_s, e.s, e.pi, e.u, e.u0,
       e.published, o.payoff_y, o.payoff_p, o.status
FROM signal_events e LEFT JOIN signal_eval o ON o.event_id = e.event_id
WHERE e.event_id = ANY (%(events)s) ORDER BY e.window_end_ms, e.event_id;

-- name: board
SELECT named.braid_id, named.state, named.rank, named.day, h.reason, h.body, h.detector_id, h.grade, h.claim_bps,
       h.expires_at_ms
FROM (  -- in the order of the page, so that the body of a braid that is not shown is not read
    SELECT newest.*, CASE state WHEN 'active' THEN 0 WHEN 'proposed' THEN 1 WHEN 'sunset' THEN 2 ELSE 3 END AS rank
    FROM (
        SELECT DISTINCT ON (braid_id) braid_id, day, ordinal, new_state AS state
        FROM braid_history WHERE branch = %(branch)s ORDER BY braid_id, day DESC, ordinal DESC
    ) newest
    ORDER BY rank, day DESC, braid_id
) named CROSS JOIN LATERAL (
    SELECT reason, body, body ->> 'detector_id' AS detector_id, body ->> 'grade' AS grade,
           (body ->> 'claim_bps')::float8 AS claim_bps, (body ->> 'expires_at_ms')::bigint AS expires_at_ms
    FROM braid_history
    WHERE branch = %(branch)s AND braid_id = named.braid_id AND day = named.day AND ordinal = named.ordinal LIMIT 1
) h
WHERE %(search)s = '' OR strpos(lower(h.detector_id || ' ' || h.reason || ' ' || named.braid_id), %(search)s) > 0;

-- name: braids_by_state
SELECT state, count(*) AS braids FROM (
    SELECT DISTINCT ON (braid_id) braid_id, new_state AS state
    FROM braid_history WHERE branch = %(branch)s ORDER BY braid_id, day DESC, ordinal DESC
) newest GROUP BY state;

-- name: trust_of_braids
SELECT DISTINCT ON (braid_id) braid_id, day, level, e, snr_low, cap, reason FROM braid_trust
WHERE branch = %(branch)s AND day >= %(day)s AND braid_id = ANY (%(braids)s) ORDER BY braid_id, day DESC;

-- name: trust_of_braid
SELECT day, level, e, snr_low, cap, reason FROM braid_trust
WHERE branch = %(branch)s AND day = ANY (%(days)s) AND braid_id = %(braid_id)s ORDER BY day DESC;

-- name: braid_changes
SELECT day, ordinal, old_state, new_state, reason, priors_before, priors_after FROM braid_history
WHERE braid_id = %(braid_id)s ORDER BY day DESC, ordinal DESC LIMIT 200;

-- name: newest_of_detector
SELECT DISTINCT ON (asset) * FROM signal_events
WHERE branch = %(branch)s AND day = %(day)s AND detector_id = %(detector_id)s ORDER BY asset, window_end_ms DESC;

-- name: bins_of_day
SELECT event_id, asset, window_end_ms, b_vol, b_hbar, b_mx, b_depth_slope, b_imbalance, b_oi, b_funding, b_basis, b_spread,
       b_session, b_flow, b_trend
FROM signal_events WHERE branch = %(branch)s AND day = %(day)s AND detector_id = %(detector_id)s
ORDER BY window_end_ms DESC LIMIT 20000;

-- name: newest_event_day
SELECT day FROM day_commits WHERE branch = %(branch)s AND stage = 'signal_events' ORDER BY day DESC LIMIT 1;

-- name: alarms
SELECT time_ms, kind, subject, found, expected, severity, act_id FROM curation_queue WHERE branch = %(branch)s;

-- name: acts_on
SELECT act_id, asof_day, kind, author, reason_code, factor, note, created_at FROM braid_reviews
WHERE branch = %(branch)s AND target = %(target)s ORDER BY created_at DESC LIMIT 100;

-- name: acts
SELECT act_id, asof_day, kind, target, author, reason_code, factor, note, created_at FROM braid_reviews
WHERE branch = %(branch)s;

-- name: newest_acts
SELECT a.act_id, a.asof_day, a.kind, a.target, a.author, a.reason_code, a.factor, a.note, (
    SELECT v.parent_priors_ver FROM active_priors v
    JOIN active_priors t ON t.branch = v.branch AND t.priors_ver = a.target
    WHERE a.kind = 'rollback' AND v.branch = a.branch AND v.day = a.asof_day AND v.priors_ver <> a.target
      AND v.payload::jsonb -> 'braids' = t.payload::jsonb -> 'braids'
    ORDER BY v.effective_from_ms DESC LIMIT 1
) AS undo_ver
FROM braid_reviews a WHERE a.branch = %(branch)s ORDER BY a.asof_day DESC, a.created_at DESC LIMIT 200;

-- name: outcomes_of_nights
SELECT body FROM experiments
WHERE branch = %(branch)s AND day = ANY (%(days)s) AND kind = 'review' ORDER BY day, name;

-- name: versions
SELECT p.priors_ver, p.day, p.effective_from_ms, p.parent_priors_ver, of.braids, of.was_in_force
FROM (  -- in the order of the page, so that the payload of a version that is not shown is not read
    SELECT * FROM active_priors WHERE branch = %(branch)s ORDER BY effective_from_ms DESC, priors_ver
) p CROSS JOIN LATERAL (
    SELECT json_array_length(p.payload::json -> 'braids') AS braids,
           EXISTS (SELECT FROM priors_in_force f WHERE f.branch = p.branch AND f.priors_ver = p.priors_ver
                   AND f.effective_from_ms = p.effective_from_ms AND f.postponed_to_ms IS NULL) AS was_in_force LIMIT 1
) of;

-- name: newest_versions
SELECT priors_ver, day, effective_from_ms, parent_priors_ver, json_array_length(payload::json -> 'braids') AS braids
FROM (
    SELECT * FROM active_priors WHERE branch = %(branch)s ORDER BY effective_from_ms DESC, priors_ver LIMIT 8
) newest ORDER BY effective_from_ms DESC, priors_ver;

-- name: version_of
SELECT priors_ver, effective_from_ms, parent_priors_ver FROM active_priors
WHERE branch = %(branch)s AND priors_ver = %(version)s;

-- name: newest_window
SELECT window_end_ms FROM signal_events
WHERE branch = %(branch)s AND published ORDER BY window_end_ms DESC LIMIT 1;

-- name: windows_since
SELECT * FROM signal_events
WHERE branch = %(branch)s AND day = ANY (%(days)s) AND detector_id = ANY (%(detectors)s)
  AND window_end_ms > %(since)s AND eligible
ORDER BY window_end_ms DESC LIMIT %(most)s;

-- name: windows_of_target
SELECT ln_sigma_tilde, tau_pub, temperature, gate, pi, veto, u, draw FROM signal_events
WHERE branch = %(branch)s AND day = ANY (%(days)s) AND window_end_ms > %(since)s AND veto & ~%(acts)s::bigint = 0
  AND (%(detector)s = '' OR detector_id = %(detector)s) AND (%(coin)s = '' OR asset = %(coin)s)
ORDER BY window_end_ms DESC LIMIT %(most)s;

-- name: governance_acts
SELECT act_id, day, actor, kind, target, value, from_day, until_day, revokes, reason, created_at FROM governance_acts
WHERE branch = %(branch)s;

-- name: braid_credit
SELECT day, braid_id, detector_id, windows, days, delta_sigma, delta_value, low, high, shapley FROM braid_credit
WHERE branch = %(branch)s;

-- name: fired_of_day
SELECT priors_ver, fired, count(*) AS windows, count(*) FILTER (WHERE published) AS published,
       sum(pi - 1 / (1 + exp(-u0))) AS moved
FROM signal_events
WHERE branch = %(branch)s AND day = %(day)s AND detector_id = %(detector_id)s AND eligible AND fired <> 0
GROUP BY priors_ver, fired;

-- name: windows_of_cell
SELECT e.event_id, e.asset, e.window_end_ms, e.s, e.pi, o.payoff_y, o.status
FROM signal_events e LEFT JOIN signal_eval o ON o.event_id = e.event_id
WHERE e.branch = %(branch)s AND e.published AND e.window_end_ms >= %(since)s AND e.detector_id = %(detector_id)s
  AND e.{first} = %(a)s AND e.{second} = %(b)s
ORDER BY e.window_end_ms DESC LIMIT %(most)s;
