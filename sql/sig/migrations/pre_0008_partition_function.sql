-- Makes the partitions of a day's month and of the next; does nothing while the tables have none.
CREATE FUNCTION signal_partitions(first_day text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month date;
    parent text;
    part text;
BEGIN
    FOR ahead IN 0..1 LOOP
        month := date_trunc('month', first_day::date) + make_interval(months => ahead);
        FOREACH parent IN ARRAY ARRAY['signal_events', 'signal_eval', 'signal_eval_horizons'] LOOP
            part := parent || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(part) IS NOT NULL
                OR NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = parent::regclass);
            EXECUTE format('LOCK TABLE %I IN SHARE UPDATE EXCLUSIVE MODE', parent);
            CONTINUE WHEN to_regclass(part) IS NOT NULL;  -- somebody else made it meanwhile
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, part, to_char(month, 'YYYY-MM'), to_char(month + interval '1 month', 'YYYY-MM')
            );
        END LOOP;
    END LOOP;
END $$;
