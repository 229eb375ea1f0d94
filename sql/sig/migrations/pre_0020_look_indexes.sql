-- What `lotus explain` asks of a window: who executed it.
CREATE INDEX executions_by_event ON executions (event_id);
