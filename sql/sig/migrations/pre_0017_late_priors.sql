-- Until when a version that came late was put off; it is in force nowhere, its beliefs are from then on.
ALTER TABLE priors_in_force ADD COLUMN postponed_to_ms bigint;
CREATE OR REPLACE VIEW v_effective_priors AS
SELECT f.branch, f.priors_ver, f.effective_from_ms,
       lead(f.effective_from_ms) OVER (PARTITION BY f.branch ORDER BY f.effective_from_ms) AS until_ms,
       p.parent_priors_ver, f.event_id, p.payload::jsonb -> 'braids' AS braids
FROM priors_in_force f JOIN active_priors p ON p.branch = f.branch AND p.priors_ver = f.priors_ver
WHERE f.postponed_to_ms IS NULL;
