-- Which alarms were told to the queue and to the user's command: claimed before it runs, so none is told twice.
CREATE TABLE alerts_told (
    branch         text NOT NULL,
    alert_id       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, alert_id)
);
