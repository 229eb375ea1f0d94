-- What the gate of earned trust added to the logit of a window; windows of before had none.
ALTER TABLE signal_events ADD COLUMN gate double precision;
ALTER TABLE live_events ADD COLUMN gate double precision NOT NULL DEFAULT 0;
