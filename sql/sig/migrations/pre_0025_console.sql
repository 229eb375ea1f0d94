-- What the console asks of many rows: the newest published windows, those that beliefs moved, a lesson's braids, lessons
-- by what they pay and by their words.
CREATE INDEX signal_events_published ON signal_events (branch, window_end_ms) WHERE published;
CREATE INDEX signal_events_moved ON signal_events (branch, window_end_ms) WHERE published AND fired <> 0;
CREATE INDEX braid_history_lesson ON braid_history (branch, (body ->> 'lesson_id'));
CREATE INDEX lessons_uplift ON lessons (branch, uplift_bps DESC NULLS LAST);
CREATE INDEX lessons_words ON lessons USING gin (jsonb_to_tsvector('simple', body, '["string"]'));
