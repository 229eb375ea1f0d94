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
WHERE branch = %(branch)s
  AND (%(search)s = '' OR jsonb_to_tsvector('simple', body, '["string"]')
       @@ to_tsquery('simple', %(search)s));

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
SELECT newest.* FROM (
    WITH RECURSIVE names AS (  -- from one braid to the next over the index: the rows of its past are not read
        (SELECT braid_id FROM braid_history WHERE branch = %(branch)s ORDER BY braid_id LIMIT 1)
        UNION ALL
        SELECT (SELECT h.braid_id FROM braid_history h
                WHERE h.branch = %(branch)s AND h.braid_id > names.braid_id ORDER BY h.braid_id LIMIT 1)
        FROM names WHERE names.braid_id IS NOT NULL
    )
    SELECT braid_id FROM names WHERE braid_id IS NOT NULL
) named CROSS JOIN LATERAL (
    SELECT h.braid_id, h.new_state AS state, h.reason, h.day, h.body, h.body ->> 'detector_id' AS detector_id,
           h.body ->> 'grade' AS grade, (h.body ->> 'claim_bps')::float8 AS claim_bps,
           (h.body ->> 'expires_at_ms')::bigint AS expires_at_ms,
           CASE h.new_state WHEN 'active' THEN 0 WHEN 'proposed' THEN 1 WHEN 'sunset' THEN 2 ELSE 3 END AS rank
    FROM braid_history h WHERE h.branch = %(branch)s AND h.braid_id = named.braid_id
    ORDER BY h.day DESC, h.ordinal DESC LIMIT 1
) newest
WHERE %(search)s = '' OR strpos(lower(newest.detector_id || ' ' || newest.reason || ' ' || newest.braid_id), %(search)s) > 0;

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
SELECT event_id, asset, b_vol, b_hbar, b_mx, b_depth_slope, b_imbalance, b_oi, b_funding, b_basis, b_spread, b_session,
       b_flow, b_trend
FROM signal_events WHERE branch = %(branch)s AND day = %(day)s AND detector_id = %(detector_id)s
ORDER BY window_end_ms DESC LIMIT 20000;

-- name: newest_event_day
SELECT day FROM day_commits WHERE branch = %(branch)s AND stage = 'signal_events' ORDER BY day DESC LIMIT 1;

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
SELECT p.priors_ver, p.day, p.effective_from_ms, p.parent_priors_ver,
       jsonb_array_length(p.payload::jsonb -> 'braids') AS braids,
       EXISTS (SELECT FROM priors_in_force f WHERE f.branch = p.branch AND f.priors_ver = p.priors_ver
               AND f.effective_from_ms = p.effective_from_ms AND f.postponed_to_ms IS NULL) AS was_in_force
FROM active_priors p WHERE p.branch = %(branch)s;

-- name: newest_versions
SELECT p.priors_ver, p.day, p.effective_from_ms, p.parent_priors_ver,
       jsonb_array_length(p.payload::jsonb -> 'braids') AS braids
FROM active_priors p WHERE p.branch = %(branch)s ORDER BY p.effective_from_ms DESC, p.priors_ver LIMIT 8;

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
