-- Named queries of the vis database (messages: sql/common/messages.sql).

-- name: put_hint_strand
INSERT INTO vis_strand (id, lifecycle_id, kind, symbol, timeframe, session_bucket, hint)
VALUES (%(event_id)s, %(event_id)s, 'hint', %(symbol)s, %(timeframe)s, %(session_bucket)s, %(hint)s)
ON CONFLICT DO NOTHING;
