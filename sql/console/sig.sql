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
SELECT braid_id, state, reason, lesson_id, expires_at_ms, body
FROM braids WHERE branch = %(branch)s AND lesson_id = ANY (%(lessons)s);

-- name: counts_of_night
SELECT count(*) FILTER (WHERE state <> 'REFUSED') AS found, count(*) FILTER (WHERE state = 'REFUSED') AS refused
FROM lessons WHERE branch = %(branch)s AND day = %(day)s;
