-- Acts of reviewers on braids and versions of this module, taken up by the next night. Append-only.
CREATE TABLE {mod}_braid_reviews (
    branch         text NOT NULL,
    act_id         text NOT NULL,                          -- hash of what the act says
    asof_day       text NOT NULL,                          -- last committed day when it was said
    kind           text NOT NULL CHECK (kind IN (
        'approve', 'reject', 'extend', 'attenuate', 'raise_cap', 'freeze', 'lower', 'rollback'
    )),
    target         text NOT NULL,                          -- braid_id, or the version a rollback returns to
    author         text NOT NULL CHECK (author <> ''),
    reason_code    text NOT NULL,
    factor         double precision NOT NULL,
    note           text NOT NULL,
    event_id       text NOT NULL,                          -- the message that brought it
    created_at     timestamptz NOT NULL DEFAULT now(),
    confidence     double precision CHECK (confidence BETWEEN 0 AND 1),  -- author's probability of being right
    PRIMARY KEY (branch, act_id)
);
