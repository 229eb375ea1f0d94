-- Who publishes for a shard of the universe: one owner at a time, and a number that grows with every owner.
CREATE TABLE shard_lease (
    shard          text PRIMARY KEY,
    owner          text NOT NULL,
    epoch          bigint NOT NULL,                        -- grows by one with every owner
    until          timestamptz NOT NULL                    -- by this server's clock; later nobody holds it
);

-- A transaction that names its shard and epoch writes only while they hold the lease. The share lock lasts to its end, so
-- no other owner begins in between.
CREATE FUNCTION refuse_stale_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM shard_lease
    WHERE shard = current_setting('lotus.shard') AND epoch = current_setting('lotus.epoch')::bigint FOR SHARE;
    IF NOT FOUND OR NOT EXISTS (
        SELECT FROM shard_lease WHERE shard = current_setting('lotus.shard') AND until > clock_timestamp()) THEN
        RAISE EXCEPTION 'epoch % of shard % is stale', current_setting('lotus.epoch'), current_setting('lotus.shard')
            USING ERRCODE = 'LT001', HINT = 'another owner took the shard, or its lease was not renewed in time';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sig_outbox_epoch BEFORE INSERT ON sig_outbox FOR EACH STATEMENT
    WHEN (COALESCE(current_setting('lotus.shard', true), '') <> '') EXECUTE FUNCTION refuse_stale_epoch();
CREATE TRIGGER live_events_epoch BEFORE INSERT ON live_events FOR EACH STATEMENT
    WHEN (COALESCE(current_setting('lotus.shard', true), '') <> '') EXECUTE FUNCTION refuse_stale_epoch();
CREATE TRIGGER live_log_epoch BEFORE INSERT ON live_log FOR EACH STATEMENT
    WHEN (COALESCE(current_setting('lotus.shard', true), '') <> '') EXECUTE FUNCTION refuse_stale_epoch();
