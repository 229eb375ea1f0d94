-- What the console asks of many rows: a lesson's braids, lessons by what they pay and by their words.
CREATE INDEX braid_history_lesson ON braid_history (branch, (body ->> 'lesson_id'));
CREATE INDEX lessons_uplift ON lessons (branch, uplift_bps DESC NULLS LAST);
CREATE INDEX lessons_words ON lessons USING gin (jsonb_to_tsvector('simple', body, '["string"]'));
