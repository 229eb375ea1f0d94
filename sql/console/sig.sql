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
