-- Plans of the book: what one will hold, and what later decisions made of it.
ALTER TABLE tr_plans ADD COLUMN will_hold numeric;
ALTER TABLE tr_plans ADD COLUMN ceiling numeric;
ALTER TABLE tr_plans ADD COLUMN exit_at_ms bigint;
