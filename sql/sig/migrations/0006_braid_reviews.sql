-- Acts of reviewers on braids and versions, one row each, taken up by the first night after `asof_day`. Append-only.
CREATE TABLE braid_reviews (
    branch         text NOT NULL,
    act_id         text NOT NULL,                          -- hash of what the act says
    asof_day       text NOT NULL,                          -- last committed day when it was said
    kind           text NOT NULL CHECK (kind IN ('approve', 'reject', 'extend', 'attenuate', 'raise_cap', 'rollback')),
    target         text NOT NULL,                          -- braid_id, or the version a rollback returns to
    author         text NOT NULL CHECK (author <> ''),
    reason_code    text NOT NULL,
    factor         double precision NOT NULL,
    note           text NOT NULL,
    event_id       text NOT NULL,                          -- the message that brought it
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, act_id)
);
CREATE INDEX braid_reviews_day ON braid_reviews (branch, asof_day);
