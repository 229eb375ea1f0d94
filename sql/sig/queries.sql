-- Named queries of the sig database. A write may be repeated and leaves the same rows.

-- name: forget_day
SELECT forget_day(%s, %s, %s);

-- name: make_partitions
SELECT signal_partitions(%s);

-- name: copy_events
COPY signal_events (
    day, event_id, branch, detector_id, spec_version, asset, window_start_ms, window_end_ms, close_recv_ns,
    close_seq, horizon_s, s, uncert, kairos, entrain, mx_evidence, mx_confirm, kr_hbar, kr_coherence, kr_phi,
    kr_theta, kr_rho, kr_emergence, kr_novelty, sq_score, theta1, theta2, phi_mult, crowd_share, kr_delta_phi,
    det_sigma, ln_sigma_0, ln_sigma_tilde, tau_pub, temperature, u0, u, pi, draw, veto, eligible, published,
    fired, priors_ver, tables_ver, b_vol, b_hbar, b_mx, b_depth_slope, b_imbalance, b_oi, b_funding, b_basis,
    b_spread, b_session, b_flow, b_trend, x_vol, x_hbar, x_mx, x_depth_slope, x_imbalance, x_oi, x_funding,
    x_basis, x_spread, x_session, x_flow, x_trend, cond_key, mid2, spread_bps, rv_bps, source, gate
) FROM STDIN (FORMAT binary);

-- name: copy_eval
COPY signal_eval (
    branch, day, event_id, detector_id, asset, window_end_ms, maturity_ms, horizon_s, hit, payoff_p, payoff_y,
    fill_source, status
) FROM STDIN (FORMAT binary);

-- name: copy_eval_horizons
COPY signal_eval_horizons (branch, day, event_id, horizon_s, fwd_ret_bps, payoff_p, hit, mfe, mae)
FROM STDIN (FORMAT binary);

-- name: read_event
SELECT * FROM signal_events WHERE event_id = %s;

-- name: read_eval
SELECT * FROM signal_eval WHERE event_id = %s;

-- name: read_eval_horizons
SELECT horizon_s, fwd_ret_bps, payoff_p, hit, mfe, mae FROM signal_eval_horizons WHERE event_id = %s ORDER BY horizon_s;

-- name: event_days
SELECT DISTINCT day FROM signal_events WHERE branch = %s ORDER BY day;

-- name: lessons_of_day
SELECT lesson_id, body FROM lessons WHERE branch = %s AND day = %s;

-- name: put_lesson
INSERT INTO lessons (branch, day, lesson_id, body) VALUES (%s, %s, %s, %s);

-- name: read_lessons
SELECT body FROM lessons WHERE branch = %(branch)s AND (%(day)s::text IS NULL OR day = %(day)s) ORDER BY day, lesson_id;

-- name: read_lesson
SELECT body FROM lessons WHERE lesson_id = %s ORDER BY branch, day LIMIT 1;

-- name: delete_experiments_but
DELETE FROM experiments WHERE branch = %s AND day = %s AND kind = %s AND NOT name = ANY (%s);

-- name: put_experiment
INSERT INTO experiments (branch, day, kind, name, body, git_sha) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (branch, day, kind, name) DO UPDATE SET body = excluded.body, git_sha = excluded.git_sha
WHERE experiments.body IS DISTINCT FROM excluded.body;

-- name: read_experiments
SELECT name, body FROM experiments WHERE branch = %s AND day = %s AND kind = %s ORDER BY name;

-- name: last_experiments
SELECT name, body FROM experiments
WHERE branch = %(branch)s AND kind = %(kind)s AND day = (
    SELECT max(day) FROM experiments WHERE branch = %(branch)s AND kind = %(kind)s AND day < %(day)s
)
ORDER BY name;

-- name: changes_of_night
SELECT braid_id, old_state, new_state, reason, priors_before, priors_after, body, fixtures_hash FROM braid_history
WHERE branch = %s AND day = %s AND ordinal = 0;

-- name: put_braid
INSERT INTO braid_history (
    branch, day, braid_id, old_state, new_state, reason, priors_before, priors_after, body, fixtures_hash, git_sha
) VALUES (
    %(branch)s, %(day)s, %(braid_id)s, %(old_state)s, %(new_state)s, %(reason)s, %(priors_before)s, %(priors_after)s,
    %(body)s, %(fixtures_hash)s, %(git_sha)s
);

-- name: put_braid_act
INSERT INTO braid_history (
    branch, day, braid_id, ordinal, old_state, new_state, reason, priors_before, priors_after, body, fixtures_hash,
    git_sha
)
SELECT
    %(branch)s, %(day)s, %(braid_id)s, coalesce(max(ordinal), 0) + 1, %(old_state)s, %(new_state)s, %(reason)s,
    %(priors_before)s, %(priors_after)s, %(body)s, %(fixtures_hash)s, %(git_sha)s
FROM braid_history WHERE branch = %(branch)s AND day = %(day)s AND braid_id = %(braid_id)s;

-- name: read_registry
WITH RECURSIVE board AS (  -- from one braid to the next over the index: the rows of its past are not read
    (
        SELECT braid_id, body FROM braid_history
        WHERE branch = %(branch)s AND (%(day)s::text IS NULL OR day <= %(day)s)
        ORDER BY braid_id, day DESC, ordinal DESC LIMIT 1
    )
    UNION ALL
    SELECT newest.braid_id, newest.body FROM board CROSS JOIN LATERAL (
        SELECT braid_id, body FROM braid_history
        WHERE branch = %(branch)s AND braid_id > board.braid_id AND (%(day)s::text IS NULL OR day <= %(day)s)
        ORDER BY braid_id, day DESC, ordinal DESC LIMIT 1
    ) newest
)
SELECT body FROM board ORDER BY braid_id;

-- name: read_braid
SELECT body FROM braid_history WHERE braid_id = %s ORDER BY day DESC, ordinal DESC LIMIT 1;

-- name: claims_of
SELECT DISTINCT ON (braid_id) braid_id, body ->> 'claim_bps' FROM braid_history
WHERE braid_id = ANY(%s) ORDER BY braid_id, day DESC, ordinal DESC;

-- name: read_history
SELECT day, ordinal, old_state, new_state, reason, priors_before, priors_after, fixtures_hash, git_sha
FROM braid_history
WHERE braid_id = %s ORDER BY day, ordinal;

-- name: read_monitors
SELECT braid_id, body -> 'monitor' FROM braid_history
WHERE branch = %s AND day < %s AND braid_id = ANY (%s) AND jsonb_typeof(body -> 'monitor') = 'object'
ORDER BY braid_id, day, ordinal;

-- name: copy_trust
COPY braid_trust (branch, day, braid_id, level, e, snr_low, cap, reason) FROM STDIN (FORMAT binary);

-- name: read_trust
SELECT braid_id, level, e, snr_low, cap, reason FROM braid_trust WHERE branch = %s AND day = %s ORDER BY braid_id;

-- name: trust_before
SELECT day, braid_id, level, e, snr_low, cap, reason FROM braid_trust
WHERE branch = %s AND braid_id = %s AND day < %s ORDER BY day DESC LIMIT 1;

-- name: put_review
INSERT INTO braid_reviews (branch, act_id, asof_day, kind, target, author, reason_code, factor, note, event_id, confidence)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (branch, act_id) DO NOTHING;

-- name: read_reviews
SELECT act_id, branch, asof_day, kind, target, author, reason_code, factor, note, confidence FROM braid_reviews
WHERE branch = %(branch)s AND (%(day)s::text IS NULL OR asof_day = %(day)s) ORDER BY asof_day, act_id;

-- name: put_governance_act
INSERT INTO governance_acts (branch, act_id, day, actor, kind, target, value, reason, evidence_ref, from_day, until_day, revokes, at_once, event_id)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (branch, act_id) DO NOTHING;

-- name: acts_ending_after
SELECT act_id, branch, day, actor, kind, target, value, reason, evidence_ref, from_day, ends_day, '', at_once FROM v_acts_in_force
WHERE branch = %s AND ends_day > %s ORDER BY day, act_id;

-- name: acts_on_day
SELECT act_id, branch, day, actor, kind, target, value, reason, evidence_ref, from_day, ends_day, '', at_once FROM v_acts_in_force
WHERE branch = %(branch)s AND from_day <= %(day)s AND ends_day > %(day)s ORDER BY day, act_id;

-- name: vetoes_at_once
SELECT act_id, branch, day, actor, kind, target, value, reason, evidence_ref, from_day, until_day, '', at_once FROM v_acts_in_force
WHERE branch = %s AND at_once AND kind = 'veto' AND lifted_by IS NULL AND from_day > %s ORDER BY day, act_id;

-- name: acts_until_after
SELECT act_id, branch, day, actor, kind, target, value, reason, evidence_ref, from_day, until_day, revokes, at_once
FROM governance_acts WHERE branch = %s AND until_day > %s ORDER BY day, act_id;

-- name: acts_of_night
SELECT act_id, branch, day, actor, kind, target, value, reason, evidence_ref, from_day, until_day, revokes, at_once
FROM governance_acts WHERE branch = %s AND day = %s ORDER BY act_id;

-- name: lifts_and_lifted
WITH lifts AS (
    SELECT act_id, revokes FROM governance_acts
    WHERE branch = %(branch)s AND kind = 'lift' AND day < %(before)s AND until_day > %(before)s
      AND actor NOT LIKE 'curator:%%'
)
SELECT act_id, branch, day, actor, kind, target, value, reason, evidence_ref, from_day, until_day, revokes, at_once
FROM governance_acts WHERE branch = %(branch)s
  AND (act_id IN (SELECT act_id FROM lifts) OR act_id IN (SELECT revokes FROM lifts)) ORDER BY day, act_id;

-- name: act_and_lifts
SELECT act_id, branch, day, actor, kind, target, value, reason, evidence_ref, from_day, until_day, revokes, at_once
FROM governance_acts WHERE branch = %(branch)s AND (act_id = %(act)s OR revokes = %(act)s) ORDER BY day, act_id;

-- name: lock_what_ifs
SELECT pg_advisory_xact_lock(1280265301, hashtext(%s));

-- name: what_if
SELECT number, body FROM what_ifs WHERE branch = %s AND what_if_id = %s;

-- name: count_what_ifs
SELECT count(*) FROM what_ifs WHERE branch = %s AND to_day >= %s AND from_day <= %s;

-- name: put_what_if
INSERT INTO what_ifs (branch, what_if_id, number, from_day, to_day, change, body, git_sha)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s);

-- name: lock_candidate_trials
SELECT pg_advisory_xact_lock(1280265303);

-- name: count_candidate_trials
SELECT coalesce(max(number), 0) FROM candidate_trials;

-- name: trials_before_run
SELECT coalesce(min(number) - 1, (SELECT coalesce(max(number), 0) FROM candidate_trials))
FROM candidate_trials WHERE run = %s;

-- name: trials_among
SELECT candidate_id FROM candidate_trials WHERE candidate_id = ANY (%s);

-- name: known_trials_among
SELECT count(*) FROM candidate_trials WHERE candidate_id = ANY (%s) AND number <= %s;

-- name: put_candidate_trial
INSERT INTO candidate_trials
    (candidate_id, number, branch, night, run, generation, origin, operator, horizon_s, expression, parents,
     knows_until)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);

-- name: trials_of_models
SELECT candidate_id, knows_until FROM candidate_trials WHERE candidate_id = ANY (%s) AND knows_until IS NOT NULL;

-- name: trials_beside
SELECT count(*) FROM candidate_trials WHERE run = %s AND candidate_id <> ALL (%s);

-- name: put_candidate_refinement
INSERT INTO candidate_refinements (run, parent_id, candidate_id, kind, expression, t_before, t_after, taken)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: put_candidate_life
INSERT INTO candidate_life (branch, candidate_id, run, night, state, check_name, value, bound, reason, body)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: candidates_newest
SELECT DISTINCT ON (p.candidate_id) p.candidate_id, p.night, p.run, p.body, coalesce(s.step, v.state) AS state,
       coalesce(s.check_name, v.check_name) AS check_name, coalesce(s.value, v.value) AS value,
       coalesce(s.bound, v.bound) AS bound, coalesce(s.reason, v.reason) AS reason
FROM candidate_life p LEFT JOIN candidate_life v
    ON v.branch = p.branch AND v.candidate_id = p.candidate_id AND v.run = p.run AND v.state <> 'proposed'
LEFT JOIN LATERAL (
    SELECT step, check_name, value, bound, reason FROM candidate_steps c
    WHERE c.branch = p.branch AND c.candidate_id = p.candidate_id ORDER BY day DESC, created_at DESC LIMIT 1
) s ON true
WHERE p.branch = %(branch)s AND p.state = 'proposed' AND p.candidate_id LIKE %(beginning)s || '%%'
ORDER BY p.candidate_id, p.night DESC, p.created_at DESC;

-- name: candidates_screened
SELECT DISTINCT ON (v.candidate_id) v.candidate_id, v.night, p.body, t.knows_until
FROM candidate_life v
JOIN candidate_life p ON p.branch = v.branch AND p.candidate_id = v.candidate_id AND p.run = v.run AND p.state = 'proposed'
JOIN candidate_trials t ON t.candidate_id = v.candidate_id
WHERE v.branch = %s AND v.state = 'screened'
ORDER BY v.candidate_id, v.night, v.created_at;

-- name: candidate_days_of
SELECT candidate_id, day, gain_bps, weight, spoken, variance, sums, e_value, peak, days, all_spoken, state
FROM candidate_days WHERE branch = %s AND (%s::text IS NULL OR candidate_id = %s) ORDER BY candidate_id, day;

-- name: put_candidate_day
INSERT INTO candidate_days (branch, candidate_id, day, gain_bps, weight, spoken, variance, sums, e_value, peak, days,
                            all_spoken, state)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: put_detector_set
INSERT INTO detector_sets (branch, from_day, judged_day, set_ver, texts) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: detector_sets
SELECT DISTINCT ON (from_day) from_day, judged_day, set_ver, texts FROM detector_sets WHERE branch = %s
ORDER BY from_day, judged_day DESC, created_at DESC;

-- name: put_candidate_step
INSERT INTO candidate_steps (branch, candidate_id, day, step, check_name, value, bound, reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: candidate_steps_of
SELECT candidate_id, day, step, check_name, value, bound, reason FROM candidate_steps
WHERE branch = %s AND (%s::text IS NULL OR candidate_id = %s) ORDER BY day, created_at, candidate_id;

-- name: candidate_refinements_of
SELECT parent_id, candidate_id, kind, expression, t_before, t_after, taken FROM candidate_refinements
WHERE run = %s ORDER BY kind, parent_id, t_after DESC, candidate_id;

-- name: candidate_trial
SELECT number, night, run, generation, origin, operator, expression, parents, knows_until FROM candidate_trials
WHERE candidate_id = %s;

-- name: drop_curator_kpis
DELETE FROM curator_kpis WHERE branch = %s AND day = %s;

-- name: put_curator_kpi
INSERT INTO curator_kpis (branch, day, module, curator, kpi, value, low, high, n)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s);

-- name: newest_curator_kpis
SELECT module, curator, kpi, value, low, high, n FROM v_curator_kpis WHERE branch = %s ORDER BY module, curator, kpi;

-- name: put_queued_alert
INSERT INTO curation_queue (
    branch, alert_id, time_ms, kind, subject, found, expected, severity, act_id, event_id
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (branch, alert_id) DO NOTHING;

-- name: claim_alert
INSERT INTO alerts_told (branch, alert_id) VALUES (%s, %s) ON CONFLICT (branch, alert_id) DO NOTHING RETURNING alert_id;

-- name: was_claimed
SELECT EXISTS (SELECT FROM alerts_told WHERE branch = %s AND alert_id = %s);

-- name: untold_alerts
SELECT q.alert_id, q.branch, q.time_ms, q.kind, q.subject, q.found, q.expected, q.severity, q.act_id
FROM curation_queue q WHERE q.branch = %s AND q.created_at > now() - interval '24 hours'
  AND NOT EXISTS (SELECT FROM alerts_told t WHERE t.branch = q.branch AND t.alert_id = q.alert_id)
ORDER BY q.time_ms, q.alert_id LIMIT 100;

-- name: queued_alerts
SELECT alert_id, branch, time_ms, kind, subject, found, expected, severity, act_id FROM curation_queue
WHERE branch = %s ORDER BY time_ms DESC, alert_id LIMIT %s;

-- name: versions
SELECT priors_ver, day, effective_from_ms, parent_priors_ver, payload FROM active_priors
WHERE branch = %s ORDER BY effective_from_ms, priors_ver;

-- name: all_experiments
SELECT day, name, body FROM experiments WHERE branch = %s AND kind = %s ORDER BY day, name;

-- name: put_priors
INSERT INTO active_priors (branch, priors_ver, day, effective_from_ms, parent_priors_ver, payload)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (branch, priors_ver) DO NOTHING;

-- name: put_snapshot
INSERT INTO active_priors_snapshot (branch, priors_ver, before, after, diff) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (branch, priors_ver) DO NOTHING;

-- name: put_in_force
INSERT INTO priors_in_force (branch, day, priors_ver, effective_from_ms, event_id) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (branch, effective_from_ms)
DO UPDATE SET priors_ver = excluded.priors_ver, event_id = excluded.event_id, postponed_to_ms = NULL
WHERE priors_in_force.priors_ver <> excluded.priors_ver;

-- name: read_priors
SELECT payload FROM active_priors WHERE branch = %s AND priors_ver = %s;

-- name: in_force_at
SELECT p.payload FROM priors_in_force f JOIN active_priors p USING (branch, priors_ver)
WHERE f.branch = %s AND f.effective_from_ms <= %s AND f.postponed_to_ms IS NULL
ORDER BY f.effective_from_ms DESC LIMIT 1;

-- name: swaps_between
SELECT p.payload FROM priors_in_force f JOIN active_priors p USING (branch, priors_ver)
WHERE f.branch = %s AND f.effective_from_ms >= %s AND f.effective_from_ms < %s AND f.postponed_to_ms IS NULL
ORDER BY f.effective_from_ms;

-- name: brought_by
SELECT priors_ver, event_id FROM priors_in_force WHERE branch = %s AND effective_from_ms = %s;

-- name: swaps
SELECT effective_from_ms, priors_ver FROM priors_in_force WHERE branch = %s ORDER BY effective_from_ms;

-- name: swaps_in_force
SELECT effective_from_ms, priors_ver FROM priors_in_force
WHERE branch = %s AND postponed_to_ms IS NULL AND effective_from_ms >= %s
ORDER BY effective_from_ms;

-- name: swaps_within
SELECT effective_from_ms, priors_ver FROM priors_in_force
WHERE branch = %s AND effective_from_ms > %s AND effective_from_ms < %s ORDER BY effective_from_ms;

-- name: is_handed_over
SELECT EXISTS (
    SELECT FROM active_priors p JOIN priors_in_force f USING (branch, effective_from_ms, priors_ver)
    WHERE p.branch = %s AND p.priors_ver = %s
);

-- name: put_off
UPDATE priors_in_force f SET postponed_to_ms = %s FROM active_priors p
WHERE f.branch = %s AND f.effective_from_ms = %s AND f.priors_ver = %s
  AND p.branch = f.branch AND p.priors_ver = f.priors_ver
RETURNING p.day, f.event_id;

-- name: taught_for
SELECT coalesce(max(o.effective_from_ms), f.effective_from_ms) FROM priors_in_force f
LEFT JOIN priors_in_force o ON o.branch = f.branch AND o.postponed_to_ms = f.effective_from_ms
WHERE f.branch = %s AND f.effective_from_ms = %s GROUP BY f.effective_from_ms;

-- name: followed_at
SELECT p.payload FROM priors_in_force f JOIN active_priors p USING (branch, priors_ver)
WHERE f.branch = %s AND f.effective_from_ms <= %s ORDER BY f.effective_from_ms DESC LIMIT 1;

-- name: scored_under_another
SELECT max(e.window_end_ms) FROM live_events e JOIN live_runs r USING (run_id)
WHERE e.branch = %s AND NOT r.replayed AND e.day >= %s AND e.window_end_ms >= %s AND e.window_end_ms < %s
  AND e.priors_ver <> %s;

-- name: put_commit
INSERT INTO day_commits (branch, day, stage, content_hash, rows, inputs_hash, notes) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (branch, day, stage) DO UPDATE SET
    content_hash = excluded.content_hash, rows = excluded.rows, inputs_hash = excluded.inputs_hash,
    notes = excluded.notes, committed_at = now()
WHERE (day_commits.content_hash, day_commits.rows, day_commits.inputs_hash)
    IS DISTINCT FROM (excluded.content_hash, excluded.rows, excluded.inputs_hash);

-- name: read_commit
SELECT branch, day, stage, content_hash, rows, inputs_hash, notes FROM day_commits
WHERE branch = %s AND day = %s AND stage = %s;

-- name: read_commits
SELECT branch, day, stage, content_hash, rows, inputs_hash, notes FROM day_commits
WHERE branch = %(branch)s AND (%(stage)s::text IS NULL OR stage = %(stage)s) ORDER BY day, stage;

-- name: last_commits
SELECT branch, day, stage, content_hash, rows, inputs_hash, notes FROM day_commits
WHERE branch = %s AND stage = %s AND day < %s ORDER BY day DESC LIMIT %s;

-- name: first_commit
SELECT branch, day, stage, content_hash, rows, inputs_hash, notes FROM day_commits
WHERE branch = %s AND stage = %s ORDER BY day LIMIT 1;

-- name: commits_of_days
SELECT branch, day, stage, content_hash, rows, inputs_hash, notes FROM day_commits
WHERE branch = %s AND day = ANY (%s) ORDER BY day, stage;

-- name: put_part
INSERT INTO part_commits (branch, day, stage, block, inputs_hash, content_hash, rows, notes)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: read_part
SELECT content_hash, rows, notes FROM part_commits
WHERE branch = %s AND day = %s AND stage = %s AND block = %s AND inputs_hash = %s;

-- name: parts_of_day
SELECT stage, block FROM part_commits WHERE branch = %s AND day = %s ORDER BY stage, block;

-- name: has_parts
SELECT FROM part_commits WHERE branch = %s LIMIT 1;

-- name: drop_parts
DELETE FROM part_commits WHERE branch = %s AND day = %s AND stage = %s;

-- name: forget_commits
DELETE FROM day_commits WHERE branch = %s AND day >= %s;

-- name: put_segment
INSERT INTO tape_segments
    (tape, path, day, sha256, lines, bytes, first_recv_ns, last_recv_ns, counts, gaps, state)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (tape, path) DO UPDATE SET
    day = excluded.day, sha256 = excluded.sha256, lines = excluded.lines, bytes = excluded.bytes,
    first_recv_ns = excluded.first_recv_ns, last_recv_ns = excluded.last_recv_ns, counts = excluded.counts,
    gaps = excluded.gaps, state = excluded.state;

-- name: read_segments
SELECT tape, path, day, sha256, lines, bytes, first_recv_ns, last_recv_ns, counts, gaps, state FROM tape_segments
WHERE tape = %(tape)s AND (%(day)s::text IS NULL OR day = %(day)s) ORDER BY path;

-- name: delete_gaps
DELETE FROM tape_gaps WHERE tape = %s AND day = %s;

-- name: put_gap
INSERT INTO tape_gaps (tape, day, asset, start_ms, end_ms, reason) VALUES (%s, %s, %s, %s, %s, %s);

-- name: read_gaps
SELECT asset, start_ms, end_ms, reason FROM tape_gaps WHERE tape = %s AND day = %s ORDER BY asset, start_ms;

-- name: delete_quarantine
DELETE FROM quarantine WHERE tape = %s AND day = %s;

-- name: put_quarantine
INSERT INTO quarantine (tape, day, seq, kind, detail, sample) VALUES (%s, %s, %s, %s, %s, %s);

-- name: read_quarantine
SELECT seq, kind, detail, sample FROM quarantine WHERE tape = %s AND day = %s ORDER BY seq, kind;

-- name: stage_live_events
CREATE TEMP TABLE IF NOT EXISTS staged_events (LIKE live_events) ON COMMIT DELETE ROWS;

-- name: copy_live_events
COPY staged_events (
    run_id, day, event_id, branch, detector_id, spec_version, asset, window_start_ms, window_end_ms,
    close_recv_ns, close_seq, horizon_s, s, uncert, kairos, entrain, mx_evidence, mx_confirm, kr_hbar,
    kr_coherence, kr_phi, kr_theta, kr_rho, kr_emergence, kr_novelty, sq_score, theta1, theta2, phi_mult,
    crowd_share, kr_delta_phi, det_sigma, ln_sigma_0, ln_sigma_tilde, tau_pub, temperature, u0, u, pi, draw, veto,
    eligible, published, fired, priors_ver, tables_ver, b_vol, b_hbar, b_mx, b_depth_slope, b_imbalance, b_oi,
    b_funding, b_basis, b_spread, b_session, b_flow, b_trend, x_vol, x_hbar, x_mx, x_depth_slope, x_imbalance,
    x_oi, x_funding, x_basis, x_spread, x_session, x_flow, x_trend, cond_key, mid2, spread_bps, rv_bps, source, gate
) FROM STDIN (FORMAT binary);

-- name: merge_live_events
WITH taken AS (DELETE FROM staged_events RETURNING *)
INSERT INTO live_events SELECT * FROM taken ON CONFLICT (run_id, event_id) DO NOTHING;

-- name: live_runs
SELECT DISTINCT run_id FROM live_events WHERE branch = %s AND day = %s ORDER BY run_id;

-- name: read_live_events
SELECT * FROM live_events WHERE branch = %s AND day = %s ORDER BY run_id, close_seq, asset, detector_id;

-- name: put_run
INSERT INTO live_runs (run_id, branch, tape, replayed) VALUES (%s, %s, %s, %s) ON CONFLICT (run_id) DO NOTHING;

-- name: read_run
SELECT run_id, branch, tape, replayed FROM live_runs WHERE run_id = %s;

-- name: daemon_log_names
SELECT count(*), coalesce(sum(hashtextextended(e.run_id || ' ' || e.event_id, 0)), 0)::text
FROM live_events e JOIN live_runs r USING (run_id)
WHERE e.branch = %s AND e.day = ANY (%s) AND e.window_start_ms BETWEEN %s AND %s AND NOT r.replayed;

-- name: copy_daemon_log
COPY (
    SELECT DISTINCT ON (e.window_end_ms, e.asset, e.detector_id) e.*
    FROM live_events e JOIN live_runs r USING (run_id)
    WHERE e.branch = %s AND e.day = ANY (%s) AND e.window_start_ms BETWEEN %s AND %s AND NOT r.replayed
    ORDER BY e.window_end_ms, e.asset, e.detector_id, r.created_at, r.run_id, e.event_id
) TO STDOUT (FORMAT csv, HEADER);

-- name: put_expert
INSERT INTO dsi_experts (expert_id, spec_id, version, kind, spec, place, weight, vote, status)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (expert_id, spec_id) DO UPDATE
SET place = EXCLUDED.place, weight = EXCLUDED.weight, vote = EXCLUDED.vote, status = EXCLUDED.status
WHERE (dsi_experts.place, dsi_experts.weight, dsi_experts.vote, dsi_experts.status)
    IS DISTINCT FROM (EXCLUDED.place, EXCLUDED.weight, EXCLUDED.vote, EXCLUDED.status);

-- name: retire_experts
UPDATE dsi_experts SET status = 'off' WHERE status <> 'off' AND NOT spec_id = ANY (%s);

-- name: read_experts
SELECT expert_id, spec_id, version, kind, spec, place, weight, vote, status, successes, failures, reliability,
    reliability_low, reliability_high, judged_day
FROM dsi_experts ORDER BY status, place, expert_id, version, spec_id;

-- name: clear_expert_stats
DELETE FROM dsi_expert_stats WHERE branch = %s AND day = %s;

-- name: put_expert_stat
INSERT INTO dsi_expert_stats (branch, day, expert_id, asset, spec_id, calls, reliability, reliability_low,
    reliability_high, below_floor, twin, weight, weight_proposed, status_proposed, proposal)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);

-- name: runs_below_floor
SELECT expert_id, below_floor FROM dsi_expert_stats
WHERE branch = %(branch)s AND asset = ''
    AND day = (SELECT max(day) FROM dsi_expert_stats WHERE branch = %(branch)s AND day < %(day)s);

-- name: clear_expert_credit
DELETE FROM expert_credit WHERE branch = %s AND day = %s;

-- name: put_expert_credit
INSERT INTO expert_credit (branch, day, detector_id, asset, expert_id, votes, weight, windows, days, delta_sigma,
    delta_value, low, high, pooled, pooled_error, shapley, shapley_error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);

-- name: expert_credit_on
SELECT detector_id, asset, expert_id, votes, weight, windows, days, delta_sigma, delta_value, low, high, pooled,
    pooled_error, shapley, shapley_error
FROM expert_credit WHERE branch = %s AND day = %s ORDER BY detector_id, asset, expert_id;

-- name: newest_credit
SELECT max(day) FROM expert_credit WHERE branch = %s AND day <= %s;

-- name: put_expert_cost
INSERT INTO dsi_expert_costs (branch, day, expert_id, spec_id, nodes, cost_ns, marginal_ns, latency_p50_ns,
    latency_p95_ns, runs)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: expert_costs_on
SELECT expert_id, spec_id, nodes, cost_ns, marginal_ns, latency_p50_ns, latency_p95_ns, runs
FROM dsi_expert_costs WHERE branch = %s AND day = %s ORDER BY expert_id;

-- name: newest_costs
SELECT max(day) FROM dsi_expert_costs WHERE branch = %s AND day <= %s;

-- name: slowest_expert
SELECT max(latency_p95_ns) FROM dsi_expert_costs WHERE branch = %(branch)s
    AND day = (SELECT max(day) FROM dsi_expert_costs WHERE branch = %(branch)s);

-- name: clear_allocations
DELETE FROM compute_allocations WHERE branch = %s AND day = %s;

-- name: put_allocation
INSERT INTO compute_allocations (branch, day, kind, arm, q, drawn, cost, quota, context, reward, from_day)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);

-- name: allocations_until
SELECT day, kind, arm, q, drawn, cost, quota, context, reward, from_day
FROM compute_allocations WHERE branch = %s AND day < %s ORDER BY day, kind, arm;

-- name: clear_braid_credit
DELETE FROM braid_credit WHERE branch = %s AND day = %s;

-- name: put_braid_credit
INSERT INTO braid_credit (branch, day, detector_id, braid_id, windows, days, delta_sigma, delta_value, low, high, shapley,
    shapley_error)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s);

-- name: clear_review_values
DELETE FROM review_values WHERE branch = %s AND day = %s;

-- name: put_review_value
INSERT INTO review_values (branch, day, module, act_id, of_day, windows, value_bps) VALUES (%s, %s, %s, %s, %s, %s, %s);

-- name: review_values
SELECT act_id, of_day, windows, value_bps FROM review_values
WHERE branch = %s AND module = %s ORDER BY act_id, of_day;

-- name: put_expert_set
INSERT INTO dsi_expert_sets (branch, from_day, judged_day, set_ver, settings) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (branch, from_day) DO UPDATE
SET judged_day = EXCLUDED.judged_day, set_ver = EXCLUDED.set_ver, settings = EXCLUDED.settings
WHERE (dsi_expert_sets.judged_day, dsi_expert_sets.set_ver, dsi_expert_sets.settings)
    IS DISTINCT FROM (EXCLUDED.judged_day, EXCLUDED.set_ver, EXCLUDED.settings);

-- name: expert_sets
SELECT from_day, judged_day, set_ver, settings FROM dsi_expert_sets WHERE branch = %s AND from_day > %s ORDER BY from_day;

-- name: expert_sets_until
SELECT from_day, judged_day, set_ver, settings FROM dsi_expert_sets WHERE branch = %s AND from_day <= %s
ORDER BY from_day DESC LIMIT %s;

-- name: daemon_logged_until
WITH last AS (
    SELECT e.branch, e.day FROM live_events e JOIN live_runs r USING (run_id)
    WHERE e.branch = %s AND NOT r.replayed ORDER BY e.day DESC LIMIT 1
)
SELECT max(e.window_end_ms) FROM last JOIN live_events e USING (branch, day) JOIN live_runs r USING (run_id)
WHERE NOT r.replayed;

-- name: put_segments
INSERT INTO segments (branch, from_day, judged_day, set_ver, origin, texts, agreement, body)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (branch, from_day) DO NOTHING;

-- name: segments_on
SELECT from_day, judged_day, set_ver, origin, texts, agreement, body
FROM segments WHERE branch = %s AND from_day <= %s ORDER BY from_day DESC LIMIT 1;

-- name: segment_sets
SELECT from_day, judged_day, set_ver, origin, texts, agreement, body
FROM segments WHERE branch = %s ORDER BY from_day;

-- name: judge_expert
UPDATE dsi_experts SET successes = %s, failures = %s, reliability = %s, reliability_low = %s, reliability_high = %s,
    judged_day = %s
WHERE expert_id = %s AND spec_id = %s AND (judged_day IS NULL OR judged_day <= %s);

-- name: put_module_numbers
INSERT INTO module_numbers
    (branch, day, module, resonance_frequency, resonance_power, resonance_false_alarm, resonance_n, resonance_reason,
     observer_effect_bps, observer_low_bps, observer_high_bps, observer_published, observer_held_out,
     observer_blocks, observer_reason, entangled_with, entangled_lag, entangled_bits, entangled_null95,
     entangled_chance, entangled_n, entangled_reason)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (branch, day, module) DO UPDATE SET
    resonance_frequency = excluded.resonance_frequency, resonance_power = excluded.resonance_power,
    resonance_false_alarm = excluded.resonance_false_alarm, resonance_n = excluded.resonance_n, resonance_reason =
    excluded.resonance_reason, observer_effect_bps = excluded.observer_effect_bps, observer_low_bps =
    excluded.observer_low_bps, observer_high_bps = excluded.observer_high_bps, observer_published =
    excluded.observer_published, observer_held_out = excluded.observer_held_out, observer_blocks =
    excluded.observer_blocks, observer_reason = excluded.observer_reason, entangled_with = excluded.entangled_with,
    entangled_lag = excluded.entangled_lag, entangled_bits = excluded.entangled_bits, entangled_null95 =
    excluded.entangled_null95, entangled_chance = excluded.entangled_chance, entangled_n = excluded.entangled_n,
    entangled_reason = excluded.entangled_reason;

-- name: read_module_numbers
SELECT branch, day, module, resonance_frequency, resonance_power, resonance_false_alarm, resonance_n, resonance_reason,
       observer_effect_bps, observer_low_bps, observer_high_bps, observer_published, observer_held_out,
       observer_blocks, observer_reason, entangled_with, entangled_lag, entangled_bits, entangled_null95,
       entangled_chance, entangled_n, entangled_reason
FROM module_numbers
WHERE (%(branch)s::text IS NULL OR branch = %(branch)s) AND (%(day)s::text IS NULL OR day = %(day)s)
ORDER BY branch, day, module;

-- name: put_signal
INSERT INTO live_signals (run_id, event_id, schema_ver, time_ms, payload) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (run_id, event_id, schema_ver) DO NOTHING;

-- name: read_signals
SELECT event_id, schema_ver, time_ms, payload FROM live_signals WHERE run_id = %s ORDER BY time_ms, event_id, schema_ver;

-- name: published_signal
SELECT s.payload FROM live_signals s JOIN live_runs r USING (run_id)
WHERE s.event_id = %s AND s.schema_ver = %s ORDER BY r.replayed, r.created_at, r.run_id LIMIT 1;

-- name: put_log
INSERT INTO live_log (run_id, seq, time_ms, kind, body) VALUES (%s, %s, %s, %s, %s) ON CONFLICT (run_id, seq) DO NOTHING;

-- name: read_log
SELECT seq, time_ms, kind, body FROM live_log WHERE run_id = %s ORDER BY seq;

-- name: put_order
INSERT INTO live_orders (run_id, order_id, event_id, asset, time_ms, state, body) VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (run_id, order_id) DO UPDATE SET state = excluded.state, body = excluded.body;

-- name: put_fill
INSERT INTO live_fills (run_id, fill_id, order_id, asset, time_ms, body) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (run_id, fill_id) DO NOTHING;

-- name: read_orders
SELECT order_id, event_id, asset, time_ms, state, body FROM live_orders WHERE run_id = %s ORDER BY time_ms, order_id;

-- name: read_fills
SELECT fill_id, order_id, asset, time_ms, body FROM live_fills WHERE run_id = %s ORDER BY time_ms, fill_id;

-- name: put_command
INSERT INTO control (command, body) VALUES (%s, %s) RETURNING command_id;

-- name: put_act
INSERT INTO control (command, body, taken_at, done_at) VALUES (%s, %s, now(), now());

-- name: take_commands
WITH taken AS (
    UPDATE control SET taken_at = now() WHERE command_id IN (
        SELECT command_id FROM control WHERE taken_at IS NULL ORDER BY command_id FOR UPDATE SKIP LOCKED
    ) RETURNING command_id, command, body
)
SELECT command_id, command, body FROM taken ORDER BY command_id;

-- name: finish_command
UPDATE control SET done_at = now(), result = %s WHERE command_id = %s;

-- name: read_command_result
SELECT result FROM control WHERE command_id = %s AND done_at IS NOT NULL;

-- name: put_signal_strand
INSERT INTO sig_strand (id, lifecycle_id, kind, symbol, timeframe, session_bucket, regime, detector_id, horizon_s,
                        sig_sigma, sq, mx, gates)
VALUES (%(event_id)s, %(event_id)s, 'signal', %(asset)s, %(timeframe)s, %(session_bucket)s, %(regime)s,
        %(detector_id)s, %(horizon_s)s, %(sig_sigma)s, %(sq)s, %(mx)s, %(gates)s)
ON CONFLICT DO NOTHING;

-- name: judge_sig_strand
UPDATE sig_strand SET outcomes = %s, updated_at = now() WHERE id = %s;

-- name: put_execution
INSERT INTO executions (branch, event_id, detector_id, asset, window_end_ms, venue, outcome, payoff_bps, body, told_by,
                        void)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: executions_of
SELECT event_id, detector_id, asset, window_end_ms, venue, outcome, payoff_bps, body, void FROM executions
WHERE branch = %s AND window_end_ms >= %s AND window_end_ms < %s ORDER BY event_id;

-- name: late_executions
WITH recent AS (
    SELECT day, notes -> 'notes' ->> 'executions_told' AS noted, (day::date - date '1970-01-01')::bigint * 86400000 AS ms
    FROM day_commits WHERE branch = %(branch)s AND stage = 'signal_eval' ORDER BY day DESC LIMIT %(days)s
)
SELECT day, told.venue, told.n, (
    SELECT extract(epoch FROM now() - max(i.consumed_at))::double precision
    FROM executions e JOIN sig_inbox i ON i.event_id = e.told_by
    WHERE e.branch = %(branch)s AND e.window_end_ms >= ms - %(longest_ms)s
        AND e.window_end_ms < ms + 86400000 - %(longest_ms)s
) AS quiet_s
FROM recent
CROSS JOIN LATERAL (
    SELECT venue, count(*) AS n FROM executions
    WHERE branch = %(branch)s AND window_end_ms >= ms - %(longest_ms)s
        AND window_end_ms < ms + 86400000 - %(longest_ms)s
    GROUP BY venue ORDER BY count(*) DESC, venue LIMIT 1
) told
WHERE noted IS DISTINCT FROM told.n::text
ORDER BY day;

-- name: replays_at_work
SELECT r.run_id FROM live_runs r
JOIN sig_replica p ON p.replica_id = 'daemon ' || r.run_id
WHERE r.branch = %s AND r.replayed AND p.ended_at IS NULL AND p.heartbeat_at > now() - interval '30 seconds'
ORDER BY r.run_id;

-- name: execution_of
SELECT event_id, detector_id, asset, window_end_ms, venue, outcome, payoff_bps, body, void FROM executions
WHERE event_id = %s ORDER BY branch LIMIT 1;

-- name: put_fixture_bundle
INSERT INTO fixture_bundles (fixtures_hash, branch, day, parent, body, git_sha, lock_sha256)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (fixtures_hash) DO NOTHING;

-- name: fixture_chain
WITH RECURSIVE chain AS (
    SELECT fixtures_hash, parent, body, git_sha, lock_sha256 FROM fixture_bundles WHERE fixtures_hash = %s
    UNION ALL
    SELECT b.fixtures_hash, b.parent, b.body, b.git_sha, b.lock_sha256
    FROM fixture_bundles b JOIN chain ON b.fixtures_hash = chain.parent
)
SELECT body, git_sha, lock_sha256 FROM chain ORDER BY body ->> 'day';

-- name: fixtures_like
SELECT fixtures_hash, branch, day FROM fixture_bundles WHERE fixtures_hash LIKE %s || '%%' ORDER BY day, fixtures_hash;

-- name: newest_fixtures
SELECT fixtures_hash FROM fixture_bundles WHERE branch = %s ORDER BY day DESC, created_at DESC, fixtures_hash LIMIT 1;

-- name: put_stage_cost
INSERT INTO stage_costs (branch, day, stage, cpu_s, wall_s, git_sha) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (branch, day, stage) DO UPDATE
SET cpu_s = excluded.cpu_s, wall_s = excluded.wall_s, git_sha = excluded.git_sha, created_at = now();

-- name: cost_of_days
SELECT day, sum(cpu_s) FROM stage_costs WHERE branch = %s AND day = ANY (%s)
GROUP BY day HAVING bool_or(stage = 'signal_events') AND bool_or(stage = 'lessons') ORDER BY day;

-- name: costs_by_day
SELECT day, stage, sum(cpu_s) FROM stage_costs WHERE branch = ANY (%s) GROUP BY day, stage ORDER BY day, stage;

-- name: scoring_cost
SELECT c.day, c.cpu_s, n.own, n.every, a.cpu_s, a.stages FROM stage_costs c JOIN LATERAL (
    SELECT count(*) FILTER (WHERE detector_id = %(detector_id)s) AS own, count(*) AS every
    FROM signal_events e WHERE e.branch = c.branch AND e.day = c.day
) n ON n.own > 0 CROSS JOIN LATERAL (
    SELECT sum(s.cpu_s) AS cpu_s, count(*) AS stages FROM stage_costs s
    WHERE s.branch = c.branch AND s.day = c.day AND s.stage = ANY (%(stages)s)
) a
WHERE c.branch = %(branch)s AND c.stage = 'signal_events' ORDER BY c.day DESC LIMIT 1;

-- name: patch_lives
SELECT min(day) FILTER (WHERE new_state = 'active'),
       min(day) FILTER (WHERE old_state = 'active' AND new_state <> 'active')
FROM braid_history
WHERE branch = %(branch)s AND (day < %(day)s OR (day = %(day)s AND ordinal = 0)) AND body ->> 'braid_type' = 'micro'
GROUP BY braid_id HAVING bool_or(new_state = 'active') ORDER BY braid_id;

-- name: put_experiment_run
INSERT INTO experiment_runs (run_id, branch, kind, config, fixtures_hash, git_sha, priors_ver, seeds)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (run_id) DO NOTHING;

-- name: put_experiment_result
INSERT INTO experiment_results (run_id, status, metrics) VALUES (%s, %s, %s) ON CONFLICT (run_id) DO NOTHING;

-- name: tried
SELECT run_id, day, kind, name, status, config, metrics, fixtures_hash, priors_ver, seeds, git_sha, started_at, finished_at
FROM v_experiments WHERE branch = %(branch)s AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND started_at IS NOT NULL
ORDER BY started_at DESC, run_id LIMIT %(limit)s;

-- name: bred_monday
SELECT 1 FROM experiment_runs r JOIN experiment_results x USING (run_id)
WHERE r.branch = %s AND r.kind = 'breed' AND r.config ->> 'monday' = %s AND x.status = 'ok' LIMIT 1;

-- name: tried_run
SELECT run_id, day, kind, name, status, config, metrics, fixtures_hash, priors_ver, seeds, git_sha, started_at, finished_at
FROM v_experiments WHERE branch = %s AND run_id LIKE %s || '%%' AND started_at IS NOT NULL ORDER BY run_id LIMIT 2;

-- name: outside_live_runs
COPY (SELECT * FROM live_runs WHERE branch = %(branch)s AND run_id IN (
    SELECT run_id FROM live_events WHERE branch = %(branch)s AND day > %(after)s AND day <= %(day)s
    EXCEPT SELECT run_id FROM live_events WHERE branch = %(branch)s AND day <= %(after)s
)) TO STDOUT (FORMAT binary);

-- name: outside_live_events
COPY (SELECT * FROM live_events WHERE branch = %(branch)s AND day > %(after)s AND day <= %(day)s) TO STDOUT (FORMAT binary);

-- name: outside_executions
COPY (SELECT * FROM executions WHERE branch = %(branch)s AND window_end_ms >= %(from_ms)s AND window_end_ms < %(until_ms)s)
TO STDOUT (FORMAT binary);

-- name: outside_braid_reviews
COPY (SELECT * FROM braid_reviews WHERE branch = %(branch)s AND asof_day >= %(after)s AND asof_day < %(day)s)
TO STDOUT (FORMAT binary);

-- name: outside_governance_acts
COPY (SELECT * FROM governance_acts WHERE branch = %(branch)s AND event_id <> '' AND day >= %(after)s AND day < %(day)s)
TO STDOUT (FORMAT binary);

-- name: take_live_runs
COPY live_runs FROM STDIN (FORMAT binary);

-- name: take_live_events
COPY live_events FROM STDIN (FORMAT binary);

-- name: take_executions
COPY executions FROM STDIN (FORMAT binary);

-- name: take_braid_reviews
COPY braid_reviews FROM STDIN (FORMAT binary);

-- name: take_governance_acts
COPY governance_acts FROM STDIN (FORMAT binary);

-- name: take_shard
INSERT INTO shard_lease AS l (shard, owner, epoch, until)
VALUES (%(shard)s, %(owner)s, 1, clock_timestamp() + make_interval(secs => %(ttl_s)s))
ON CONFLICT (shard) DO UPDATE SET owner = excluded.owner, epoch = l.epoch + 1,
    until = clock_timestamp() + make_interval(secs => %(ttl_s)s)
WHERE l.until < clock_timestamp() RETURNING epoch;

-- name: renew_shard
UPDATE shard_lease SET until = clock_timestamp() + make_interval(secs => %(ttl_s)s)
WHERE shard = %(shard)s AND owner = %(owner)s AND epoch = %(epoch)s RETURNING epoch;

-- name: give_shard
UPDATE shard_lease SET until = clock_timestamp()
WHERE shard = %(shard)s AND owner = %(owner)s AND epoch = %(epoch)s AND until > clock_timestamp();

-- name: carry_epoch
SELECT set_config('idle_in_transaction_session_timeout', '5000', true), hold_epoch(%s, %s);

-- name: read_shards
SELECT shard, owner, epoch, extract(epoch FROM until - clock_timestamp())::double precision
FROM shard_lease ORDER BY shard;

-- name: put_shard_windows
INSERT INTO shard_windows (branch, window_end_ms, asset, phase_cos, phase_sin, ups, downs)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (branch, window_end_ms, asset) DO UPDATE SET phase_cos = excluded.phase_cos,
    phase_sin = excluded.phase_sin, ups = excluded.ups, downs = excluded.downs;

-- name: read_shard_windows
SELECT asset, phase_cos, phase_sin, ups, downs FROM shard_windows
WHERE branch = %s AND window_end_ms = %s AND asset = ANY(%s) ORDER BY asset;

-- name: forget_shard_windows
DELETE FROM shard_windows WHERE branch = %s AND asset = ANY(%s) AND window_end_ms < %s;

-- name: learned_until
SELECT branch, max(day) FROM day_commits WHERE stage = 'active_priors' GROUP BY branch ORDER BY branch;

-- name: forgotten_day
SELECT day FROM forgotten_days WHERE branch = %s;

-- name: forget_until
INSERT INTO forgotten_days AS f (branch, day) VALUES (%s, %s)
ON CONFLICT (branch) DO UPDATE SET day = excluded.day WHERE f.day < excluded.day;

-- name: months
SELECT p.relname, c.relname, right(c.relname, 7) FROM pg_inherits i
JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
WHERE p.relname IN ('signal_events', 'signal_eval', 'signal_eval_horizons') AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
ORDER BY right(c.relname, 7), c.relname;

-- name: month_needed
SELECT EXISTS (
    SELECT FROM {part} r LEFT JOIN unnest(%s::text[], %s::text[]) old (branch, first_day) USING (branch)
    WHERE old.branch IS NULL OR r.day >= old.first_day);

-- name: hold_month
LOCK TABLE ONLY {parent}, {part} IN ACCESS EXCLUSIVE MODE;

-- name: drop_month
DROP TABLE {part};

-- name: old_runs
SELECT run_id, replayed FROM live_runs r
WHERE branch = %(branch)s AND created_at < now() - make_interval(days => %(keep_days)s)
  AND (EXISTS (SELECT FROM live_events e WHERE e.run_id = r.run_id) OR EXISTS (SELECT FROM live_log l WHERE l.run_id = r.run_id))
  AND NOT EXISTS (SELECT FROM live_events e WHERE e.run_id = r.run_id AND e.day >= %(first_day)s)
  AND NOT EXISTS (SELECT FROM live_log l WHERE l.run_id = r.run_id AND l.time_ms >= %(first_ms)s)
ORDER BY run_id;

-- name: drop_run_fills
DELETE FROM live_fills WHERE run_id = ANY (%s);

-- name: drop_run_orders
DELETE FROM live_orders WHERE run_id = ANY (%s);

-- name: drop_run_signals
DELETE FROM live_signals WHERE run_id = ANY (%s);

-- name: drop_run_events
DELETE FROM live_events WHERE run_id = ANY (%s);

-- name: drop_run_log
DELETE FROM live_log WHERE run_id = ANY (%s);

-- name: drop_days
DELETE FROM {table} WHERE branch = %(branch)s AND day < %(first_day)s
  AND day < (SELECT max(day) FROM {table} WHERE branch = %(branch)s);

-- name: lock_llm_budget
SELECT pg_advisory_xact_lock(1280265302, hashtext('llm_budget'));

-- name: llm_spent
SELECT coalesce(sum(coalesce(micro_usd, worst_micro_usd))
                FILTER (WHERE reserved_at >= date_trunc('month', now(), 'UTC')), 0)::bigint AS month_micro_usd,
       coalesce(sum(coalesce(tokens, worst_tokens))
                FILTER (WHERE reserved_at >= date_trunc('day', now(), 'UTC')), 0)::bigint AS day_tokens,
       count(*) FILTER (WHERE run = %(run)s) AS run_calls,
       count(*) FILTER (WHERE settled_at IS NULL) AS unsettled
FROM llm_budget
WHERE reserved_at >= date_trunc('month', now(), 'UTC') OR run = %(run)s;

-- name: llm_reserve
INSERT INTO llm_budget (request_hash, branch, run, worst_tokens, worst_micro_usd)
VALUES (%(request_hash)s, %(branch)s, %(run)s, %(worst_tokens)s, %(worst_micro_usd)s)
ON CONFLICT (request_hash) WHERE NOT released DO NOTHING RETURNING reservation;

-- name: llm_sent
SELECT branch, reservation, settled_at IS NULL AS unsettled FROM llm_budget WHERE request_hash = %s AND NOT released;

-- name: llm_settle
UPDATE llm_budget SET tokens = %(tokens)s, micro_usd = %(micro_usd)s, released = %(released)s, settled_at = now()
WHERE reservation = %(reservation)s AND settled_at IS NULL;

-- name: put_llm_call
INSERT INTO llm_calls (call_id, request_hash, branch, run, mode, model_asked, model, knows_until, tokens_in, tokens_out,
                       usage_told, micro_usd, took_ms, verdict)
VALUES (%(call_id)s, %(request_hash)s, %(branch)s, %(run)s, %(mode)s, %(model_asked)s, %(model)s, %(knows_until)s,
        %(tokens_in)s, %(tokens_out)s, %(usage_told)s, %(micro_usd)s, %(took_ms)s, %(verdict)s)
ON CONFLICT (call_id) DO NOTHING;

-- name: llm_left_open
SELECT reservation, request_hash, branch, run, worst_tokens, worst_micro_usd, reserved_at FROM llm_budget
WHERE settled_at IS NULL AND reserved_at < now() - make_interval(secs => %(age_s)s) ORDER BY reservation;

-- name: llm_release
UPDATE llm_budget SET tokens = worst_tokens, micro_usd = worst_micro_usd, released = true, settled_at = now()
WHERE reservation = ANY (%s) AND settled_at IS NULL;

-- name: put_llm_refusal
INSERT INTO llm_refusals (branch, run, request_hash, spec, night, code, words)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: llm_refused
SELECT code, count(*) AS times FROM (
    SELECT code FROM llm_refusals WHERE branch = %(branch)s AND night < %(night)s AND night >= %(since)s
    UNION ALL
    SELECT l.check_name FROM candidate_life l JOIN candidate_trials t USING (candidate_id)
    WHERE l.branch = %(branch)s AND l.state = 'refused' AND t.origin = 'llm' AND l.night < %(night)s
      AND l.night >= %(since)s
) found GROUP BY code ORDER BY code;

-- name: put_lesson_text
INSERT INTO lesson_texts (branch, lesson_id, facts_hash, author, model, text) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: lesson_texts
SELECT lesson_id, facts_hash, author, model, text FROM lesson_texts WHERE branch = %s AND lesson_id = ANY (%s)
ORDER BY lesson_id, author, created_at;

-- name: put_attachment
INSERT INTO attachments (attachment_id, branch, candidate_id, origin, author, text) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: attachments_of
SELECT attachment_id, candidate_id, origin, author, text, created_at FROM attachments
WHERE branch = %s AND candidate_id = %s ORDER BY created_at, attachment_id;

-- name: llm_calls
SELECT call_id, request_hash, run, mode, model_asked, model, tokens_in, tokens_out, usage_told, micro_usd, took_ms,
       verdict, called_at
FROM llm_calls WHERE branch = %s ORDER BY called_at DESC, call_id LIMIT %s;
