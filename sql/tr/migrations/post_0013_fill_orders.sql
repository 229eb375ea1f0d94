-- The two orders of a trade between own accounts, and two runs of an exchange whose names begin anew, share a fill's name.
ALTER TABLE tr_fills DROP CONSTRAINT tr_fills_pkey, ADD PRIMARY KEY (venue, fill_id, client_id);
