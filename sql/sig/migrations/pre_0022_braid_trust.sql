-- What a living micro braid has earned, one row a learning day, written by the night; the state behind it is in the
-- braid's body.
CREATE TABLE braid_trust (
    branch         text NOT NULL,
    day            text NOT NULL,
    braid_id       text NOT NULL,
    level          smallint NOT NULL CHECK (level BETWEEN 0 AND 3),
    e              double precision NOT NULL,              -- evidence for the next level since the last change, 20 rises
    snr_low        double precision NOT NULL,              -- lower estimate, daily; NaN before it is known
    cap            double precision NOT NULL,              -- tilt that the level allows, logit
    reason         text NOT NULL,                          -- why it stands where it does
    PRIMARY KEY (branch, day, braid_id)
);
CREATE OR REPLACE FUNCTION forget_day(evidence text, of_branch text, of_day text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF evidence NOT IN (
        'signal_events', 'signal_eval', 'signal_eval_horizons', 'lessons', 'braid_history', 'braid_trust'
    ) THEN
        RAISE EXCEPTION 'days of % are not replaced', evidence USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DELETE FROM %I WHERE branch = $1 AND day = $2', evidence)
        || CASE evidence WHEN 'braid_history' THEN ' AND ordinal = 0' ELSE '' END USING of_branch, of_day;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
