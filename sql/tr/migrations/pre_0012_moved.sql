-- A plan that never reached its venue and is executed at another one, as a plan of its own.
ALTER TABLE tr_plans DROP CONSTRAINT tr_plans_stage_check;
ALTER TABLE tr_plans ADD CONSTRAINT tr_plans_stage_check
    CHECK (stage IN ('accepted', 'working', 'done', 'refused', 'moved'));
