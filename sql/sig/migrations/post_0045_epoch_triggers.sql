-- Each statement of every writer paid for them; hold_epoch checks once a transaction.
DROP TRIGGER sig_outbox_epoch ON sig_outbox;
DROP TRIGGER live_events_epoch ON live_events;
DROP TRIGGER live_log_epoch ON live_log;
DROP FUNCTION refuse_stale_epoch();
