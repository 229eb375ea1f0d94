-- A veto may hold from the next window on, before the tables of a day carry it.
ALTER TABLE governance_acts ADD COLUMN at_once boolean NOT NULL DEFAULT false;
CREATE OR REPLACE VIEW v_acts_in_force AS
SELECT a.branch, a.act_id, a.day, a.actor, a.kind, a.target, a.value, a.reason, a.evidence_ref, a.from_day, a.until_day,
       least(a.until_day, lifted.from_day) AS ends_day, lifted.actor AS lifted_by, a.at_once
FROM governance_acts a LEFT JOIN LATERAL (
    SELECT l.from_day, l.actor FROM governance_acts l
    WHERE l.branch = a.branch AND l.revokes = a.act_id AND l.revokes <> '' ORDER BY l.from_day LIMIT 1
) lifted ON true
WHERE a.kind <> 'lift';
