-- Evidence is append-only for the module; a day that is computed again is replaced whole, through this function. What was
-- done to a braid after its night (ordinal 1 and more) is no part of the night and stays.
CREATE FUNCTION forget_day(evidence text, of_branch text, of_day text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF evidence NOT IN ('signal_events', 'signal_eval', 'signal_eval_horizons', 'lessons', 'braid_history') THEN
        RAISE EXCEPTION 'days of % are not replaced', evidence USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DELETE FROM %I WHERE branch = $1 AND day = $2', evidence)
        || CASE evidence WHEN 'braid_history' THEN ' AND ordinal = 0' ELSE '' END USING of_branch, of_day;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
