-- Beliefs of dm and tr, whose tables have the same names behind the module's; those of sig stand in sql/sig/queries.sql.

-- name: put_priors
INSERT INTO {mod}_priors (branch, priors_ver, day, effective_from_ms, parent_priors_ver, payload)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (branch, priors_ver) DO NOTHING;

-- name: put_in_force
INSERT INTO {mod}_priors_in_force (branch, day, priors_ver, effective_from_ms, event_id) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (branch, effective_from_ms) DO UPDATE SET priors_ver = excluded.priors_ver, event_id = excluded.event_id
WHERE {mod}_priors_in_force.priors_ver <> excluded.priors_ver;

-- name: read_priors
SELECT payload FROM {mod}_priors WHERE branch = %s AND priors_ver = %s;

-- name: in_force_at
SELECT p.payload FROM {mod}_priors_in_force f JOIN {mod}_priors p USING (branch, priors_ver)
WHERE f.branch = %s AND f.effective_from_ms <= %s ORDER BY f.effective_from_ms DESC LIMIT 1;

-- name: brought_by
SELECT priors_ver, event_id FROM {mod}_priors_in_force WHERE branch = %s AND effective_from_ms = %s;

-- name: swaps
SELECT effective_from_ms, priors_ver FROM {mod}_priors_in_force WHERE branch = %s ORDER BY effective_from_ms;

-- name: versions
SELECT priors_ver, day, effective_from_ms, parent_priors_ver, payload FROM {mod}_priors
WHERE branch = %s ORDER BY effective_from_ms, priors_ver;

-- name: put_lesson
INSERT INTO {mod}_lessons (branch, day, lesson_id, body) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING;

-- name: read_lessons
SELECT body FROM {mod}_lessons WHERE branch = %s AND day = %s ORDER BY lesson_id;

-- name: put_experiment
INSERT INTO {mod}_experiments (branch, day, kind, name, body) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (branch, day, kind, name) DO UPDATE SET body = excluded.body
WHERE {mod}_experiments.body IS DISTINCT FROM excluded.body;

-- name: read_experiments
SELECT name, body FROM {mod}_experiments WHERE branch = %s AND day = %s AND kind = %s ORDER BY name;

-- name: all_experiments
SELECT day, name, body FROM {mod}_experiments WHERE branch = %s AND kind = %s ORDER BY day, name;

-- name: put_review
INSERT INTO {mod}_braid_reviews (branch, act_id, asof_day, kind, target, author, reason_code, factor, note, event_id, confidence)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (branch, act_id) DO NOTHING;

-- name: read_reviews
SELECT act_id, branch, asof_day, kind, target, author, reason_code, factor, note, confidence FROM {mod}_braid_reviews
WHERE branch = %(branch)s AND (%(day)s::text IS NULL OR asof_day = %(day)s) ORDER BY asof_day, act_id;

-- name: waiting_reviews
SELECT act_id, branch, asof_day, kind, target, author, reason_code, factor, note, confidence FROM {mod}_braid_reviews r
WHERE branch = %(branch)s AND asof_day < %(day)s AND NOT EXISTS (
    SELECT 1 FROM {mod}_experiments e
    WHERE e.branch = r.branch AND e.kind = %(kind)s AND e.name = r.act_id AND e.day < %(day)s
) ORDER BY asof_day, act_id;

-- name: changes_of_day
SELECT DISTINCT ON (braid_id) braid_id, ordinal, body FROM {mod}_braid_history
WHERE branch = %s AND day = %s ORDER BY braid_id, ordinal DESC;

-- name: put_braid
INSERT INTO {mod}_braid_history (branch, day, braid_id, ordinal, new_state, body) VALUES (%s, %s, %s, %s, %s, %s);

-- name: read_registry
SELECT body FROM (
    SELECT DISTINCT ON (braid_id) braid_id, body FROM {mod}_braid_history
    WHERE branch = %(branch)s AND (%(before)s::text IS NULL OR day < %(before)s)
    ORDER BY braid_id, day DESC, ordinal DESC
) board ORDER BY braid_id;
