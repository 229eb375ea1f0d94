-- What is in force now, for readers: views of the rows above, always as true as those.
CREATE VIEW v_braids_active AS
SELECT branch, braid_id, braid_type, detector_id, lesson_id, grade, day, effective_from_ms, expires_at_ms,
       body -> 'parents' AS parents, body -> 'rule' AS rule, body -> 'patch' AS patch
FROM braids WHERE state = 'active';

CREATE VIEW v_lessons_active AS
SELECT l.branch, l.lesson_id, l.day, l.detector_id, l.horizon_s, l.grade, l.uplift_bps, l.lcb_bps,
       b.braid_id, b.effective_from_ms, b.expires_at_ms
FROM v_braids_active b JOIN lessons l ON l.branch = b.branch AND l.lesson_id = b.lesson_id;

CREATE VIEW v_effective_priors AS
SELECT f.branch, f.priors_ver, f.effective_from_ms,
       lead(f.effective_from_ms) OVER (PARTITION BY f.branch ORDER BY f.effective_from_ms) AS until_ms,
       p.parent_priors_ver, f.event_id, p.payload::jsonb -> 'braids' AS braids
FROM priors_in_force f JOIN active_priors p ON p.branch = f.branch AND p.priors_ver = f.priors_ver;

-- include: common/parts/strands_view.sql
