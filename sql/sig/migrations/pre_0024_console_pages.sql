-- What the console asks on a page that is looked at often: the newest publications of a daemon.
CREATE INDEX live_events_published ON live_events (branch, window_end_ms DESC) WHERE published;
