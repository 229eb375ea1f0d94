-- What a learning day reads of the days before it stays the same work however many there are.
CREATE INDEX braid_history_board ON braid_history (branch, braid_id, day DESC, ordinal DESC);
CREATE INDEX day_commits_stage ON day_commits (branch, stage, day);
