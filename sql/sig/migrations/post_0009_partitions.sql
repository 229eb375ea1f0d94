-- The mirrors become partitioned by month; every row is kept. Older programs do not make the partitions they write to.

ALTER TABLE signal_events RENAME TO signal_events_whole;
ALTER TABLE signal_events_whole DROP CONSTRAINT signal_events_pkey;
DROP INDEX signal_events_day;
ALTER TABLE signal_events_whole ALTER COLUMN day TYPE text COLLATE "C";
CREATE TABLE signal_events (LIKE signal_events_whole, PRIMARY KEY (event_id, day)) PARTITION BY RANGE (day);
CREATE INDEX signal_events_day ON signal_events (branch, day);

ALTER TABLE signal_eval RENAME TO signal_eval_whole;
ALTER TABLE signal_eval_whole DROP CONSTRAINT signal_eval_pkey;
DROP INDEX signal_eval_day;
ALTER TABLE signal_eval_whole ALTER COLUMN day TYPE text COLLATE "C";
CREATE TABLE signal_eval (LIKE signal_eval_whole, PRIMARY KEY (event_id, day)) PARTITION BY RANGE (day);
CREATE INDEX signal_eval_day ON signal_eval (branch, day);

ALTER TABLE signal_eval_horizons RENAME TO signal_eval_horizons_whole;
ALTER TABLE signal_eval_horizons_whole DROP CONSTRAINT signal_eval_horizons_pkey;
DROP INDEX signal_eval_horizons_day;
ALTER TABLE signal_eval_horizons_whole ALTER COLUMN day TYPE text COLLATE "C";
CREATE TABLE signal_eval_horizons (LIKE signal_eval_horizons_whole, PRIMARY KEY (event_id, horizon_s, day)) PARTITION BY RANGE (day);
CREATE INDEX signal_eval_horizons_day ON signal_eval_horizons (branch, day);

SELECT signal_partitions(month || '-01') FROM (
    SELECT left(day, 7) AS month FROM signal_events_whole
    UNION SELECT left(day, 7) FROM signal_eval_whole
    UNION SELECT left(day, 7) FROM signal_eval_horizons_whole
) months;

INSERT INTO signal_events SELECT * FROM signal_events_whole;
DROP TABLE signal_events_whole;
INSERT INTO signal_eval SELECT * FROM signal_eval_whole;
DROP TABLE signal_eval_whole;
INSERT INTO signal_eval_horizons SELECT * FROM signal_eval_horizons_whole;
DROP TABLE signal_eval_horizons_whole;
