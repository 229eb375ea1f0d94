-- How long messages waited is asked every five minutes, of those taken lately: blocks of the table by the time of taking.
CREATE INDEX tr_inbox_consumed ON tr_inbox USING brin (consumed_at);
