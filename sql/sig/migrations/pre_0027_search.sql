-- What the console asks of many rows: lessons by their words and by the features of their rule, by detector and by grade;
-- the newest state of each braid, from the index alone.
ALTER TABLE lessons ADD COLUMN words tsvector GENERATED ALWAYS AS (to_tsvector('simple',
    coalesce(body ->> 'detector_id', '') || ' ' || coalesce(body ->> 'state', '') || ' ' || coalesce(body ->> 'grade', '') || ' '
    || coalesce(body ->> 'reason', '') || ' ' || lesson_id || ' '
    || regexp_replace(jsonb_path_query_array(body, '$.rule.literals[*].feature')::text, '\d+', 'feature\&', 'g'))) STORED;
CREATE INDEX lessons_by_words ON lessons USING gin (words);
CREATE INDEX lessons_detector ON lessons (branch, detector_id, day DESC);
CREATE INDEX lessons_grade ON lessons (branch, grade, day DESC);
CREATE INDEX braid_history_states ON braid_history (branch, braid_id, day DESC, ordinal DESC) INCLUDE (new_state);
