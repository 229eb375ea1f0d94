-- What monitors alarmed about, one row an alarm, for people to see to. Append-only: what is done is an act.
CREATE TABLE curation_queue (
    branch         text NOT NULL,
    alert_id       text NOT NULL,                          -- hash of branch, kind, subject and time
    time_ms        bigint NOT NULL,                        -- event time of drift, the hour of what goes on
    kind           text NOT NULL CHECK (kind <> ''),
    subject        text NOT NULL CHECK (subject <> ''),
    found          text NOT NULL,
    expected       text NOT NULL,
    severity       text NOT NULL CHECK (severity IN ('warn', 'error')),
    act_id         text NOT NULL,                          -- the act that followed; '' for none
    event_id       text NOT NULL,                          -- the message that brought it
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, alert_id)
);
CREATE INDEX curation_queue_time ON curation_queue (branch, time_ms DESC);
