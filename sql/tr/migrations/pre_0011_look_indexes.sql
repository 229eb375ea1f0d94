-- What `lotus explain` asks of a name: whose plans, whose fill.
CREATE INDEX tr_plans_by_lifecycle ON tr_plans (lifecycle_id);
CREATE INDEX tr_fills_by_name ON tr_fills (fill_id);
