-- The signal bus: validated payloads of published windows (lotus/modules/schemas), as canonical JSON.
CREATE TABLE live_signals (
    run_id         text NOT NULL,
    event_id       text NOT NULL,
    schema_ver     text NOT NULL,
    time_ms        bigint NOT NULL,                        -- end of the window
    payload        text NOT NULL,
    PRIMARY KEY (run_id, event_id, schema_ver),
    FOREIGN KEY (run_id, event_id) REFERENCES live_events (run_id, event_id)
);
CREATE INDEX live_signals_time ON live_signals (schema_ver, time_ms);
