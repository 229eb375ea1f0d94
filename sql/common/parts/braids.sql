-- Braids of this module: append-only history, the current row is a view.
CREATE TABLE {mod}_braid_history (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- learning day, YYYY-MM-DD
    braid_id       text NOT NULL,
    ordinal        integer NOT NULL DEFAULT 0,             -- several changes on one day
    new_state      text NOT NULL CHECK (new_state IN ('proposed', 'active', 'sunset', 'archived')),
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, braid_id, ordinal)
);
CREATE VIEW {mod}_braid AS
SELECT DISTINCT ON (branch, braid_id) branch, braid_id, day, ordinal, new_state AS state, body
FROM {mod}_braid_history ORDER BY branch, braid_id, day DESC, ordinal DESC;

-- Versions of the priors that this module runs on; roll-forward only.
CREATE TABLE {mod}_priors (
    branch             text NOT NULL,
    priors_ver         text NOT NULL,
    day                text NOT NULL,
    effective_from_ms  bigint NOT NULL,
    parent_priors_ver  text NOT NULL,
    payload            text NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, priors_ver)
);
