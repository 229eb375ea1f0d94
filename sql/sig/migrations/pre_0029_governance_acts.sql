-- Acts of governance: who steers what, by how much, from which day to which, and why. Never changed.
CREATE TABLE governance_acts (
    branch         text NOT NULL,
    act_id         text NOT NULL,                          -- hash of what the act says
    day            text NOT NULL,                          -- last learning day known when it was decided
    actor          text NOT NULL CHECK (actor <> ''),      -- curator:NAME, or a person
    kind           text NOT NULL CHECK (kind <> ''),       -- nudge, veto, lift
    target         text NOT NULL,                          -- DETECTOR, DETECTOR@COIN or @COIN
    value          double precision NOT NULL,              -- log nudge, else 0
    reason         text NOT NULL CHECK (reason <> ''),
    evidence_ref   text NOT NULL,                          -- what it rests on
    from_day       text NOT NULL,                          -- first UTC day in force
    until_day      text NOT NULL,                          -- first day without it
    revokes        text NOT NULL DEFAULT '',               -- act that a lift ends
    event_id       text NOT NULL DEFAULT '',               -- the message that brought it; empty: a night decided it
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, act_id),
    CHECK (day < from_day AND from_day < until_day)
);
CREATE INDEX governance_acts_until ON governance_acts (branch, until_day);
CREATE INDEX governance_acts_revokes ON governance_acts (branch, revokes) WHERE revokes <> '';

-- Acts with the day on which they end, lifts counted: in force on a day d when from_day <= d < ends_day.
CREATE VIEW v_acts_in_force AS
SELECT a.branch, a.act_id, a.day, a.actor, a.kind, a.target, a.value, a.reason, a.evidence_ref, a.from_day, a.until_day,
       least(a.until_day, lifted.from_day) AS ends_day, lifted.actor AS lifted_by
FROM governance_acts a LEFT JOIN LATERAL (
    SELECT l.from_day, l.actor FROM governance_acts l
    WHERE l.branch = a.branch AND l.revokes = a.act_id AND l.revokes <> '' ORDER BY l.from_day LIMIT 1
) lifted ON true
WHERE a.kind <> 'lift';
