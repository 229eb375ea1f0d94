-- A plan that never reached its venue is executed at another one, as a plan of its own.
ALTER TABLE tr_plans ADD COLUMN moved_to text;              -- plan that took its place at another venue
