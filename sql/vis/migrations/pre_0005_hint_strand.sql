-- What a person or a chart expects, as it was told: its alpha-hint-1.0.
ALTER TABLE vis_strand ADD COLUMN hint jsonb;
