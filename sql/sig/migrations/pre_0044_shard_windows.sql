-- The epoch of a shard is checked once a transaction by who names it; the triggers of before go with post_0045.
CREATE FUNCTION hold_epoch(of_shard text, of_epoch bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held shard_lease;
BEGIN
    SELECT * INTO held FROM shard_lease WHERE shard = of_shard FOR SHARE;
    IF held.epoch = of_epoch AND held.until > clock_timestamp() THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'epoch % of shard % is stale: epoch % of % until %',
        of_epoch, of_shard, held.epoch, held.owner, held.until
        USING ERRCODE = 'LT001', HINT = 'another owner took the shard, or its lease was not renewed in time';
END $$;

-- What each shard's coins closed, for what the others score next: a few minutes of windows.
CREATE TABLE shard_windows (
    branch         text NOT NULL,
    window_end_ms  bigint NOT NULL,
    asset          text NOT NULL,
    phase_cos      double precision,
    phase_sin      double precision,
    ups            integer NOT NULL,                       -- detectors that signalled up
    downs          integer NOT NULL,
    PRIMARY KEY (branch, window_end_ms, asset)
);
