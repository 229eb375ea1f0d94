-- The newest published windows, and those that beliefs moved: what the console asks of many rows. After the table has its
-- partitions (post_0009), which take an index of their own each.
CREATE INDEX signal_events_published ON signal_events (branch, window_end_ms) WHERE published;
CREATE INDEX signal_events_moved ON signal_events (branch, window_end_ms) WHERE published AND fired <> 0;
