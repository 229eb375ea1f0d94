-- Plans of the book by time, for what they tell of the knobs they tried.
CREATE INDEX tr_plans_book ON tr_plans (branch, created_ms) WHERE kind = 'book';
