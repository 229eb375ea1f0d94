-- How long messages waited is asked every five minutes, of those taken lately: blocks of the table by the time of taking.
CREATE INDEX sig_inbox_consumed ON sig_inbox USING brin (consumed_at);
