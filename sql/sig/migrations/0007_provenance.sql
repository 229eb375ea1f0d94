-- Which commit and which windows a row came from. They are beside the body, so they are in no content hash.
ALTER TABLE experiments ADD COLUMN git_sha text NOT NULL DEFAULT 'unknown';
ALTER TABLE braid_history ADD COLUMN fixtures_hash text NOT NULL DEFAULT '';
ALTER TABLE braid_history ADD COLUMN git_sha text NOT NULL DEFAULT 'unknown';
CREATE OR REPLACE VIEW braids AS
SELECT DISTINCT ON (branch, braid_id)
    branch, braid_id, day, ordinal, new_state AS state, reason,
    body ->> 'braid_type' AS braid_type, body ->> 'detector_id' AS detector_id, body ->> 'lesson_id' AS lesson_id,
    body ->> 'grade' AS grade, (body ->> 'effective_from_ms')::bigint AS effective_from_ms,
    (body ->> 'expires_at_ms')::bigint AS expires_at_ms, body, fixtures_hash, git_sha, priors_before AS priors_ver
FROM braid_history ORDER BY branch, braid_id, day DESC, ordinal DESC;
CREATE OR REPLACE VIEW sig_braid AS SELECT * FROM braids;
