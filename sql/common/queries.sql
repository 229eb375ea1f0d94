-- Queries that mean the same in every Lotus database.

-- name: tables
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY 1;

-- name: applied
SELECT version, database, sha256 FROM lotus_schema ORDER BY version;

-- name: record_migration
INSERT INTO lotus_schema (version, database, sha256) VALUES (%s, %s, %s);

-- name: catalogue
WITH here AS (SELECT oid FROM pg_namespace WHERE nspname = %(schema)s)
SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attcollation <> y.typcollation THEN ' collate ' || a.attcollation::regcollation ELSE '' END
       || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || CASE a.attidentity WHEN '' THEN '' ELSE ' identity' END
       || COALESCE(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace IN (SELECT oid FROM here) AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'partitions ' || c.relname || ' ' || pg_get_partkeydef(c.oid)
FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM here) AND c.relkind = 'p'
UNION ALL
SELECT 'constraint ' || c.relname || ' ' || k.conname || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace IN (SELECT oid FROM here) AND k.contype <> 'n' AND NOT c.relispartition
UNION ALL
SELECT 'index ' || pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
WHERE c.relnamespace IN (SELECT oid FROM here) AND NOT c.relispartition
UNION ALL
SELECT 'view ' || c.relname || ' ' || pg_get_viewdef(c.oid)
FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM here) AND c.relkind = 'v'
UNION ALL
SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p WHERE p.pronamespace IN (SELECT oid FROM here)
UNION ALL
SELECT 'trigger ' || pg_get_triggerdef(t.oid)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relnamespace IN (SELECT oid FROM here) AND NOT t.tgisinternal;

-- name: empty_all
DO $$
DECLARE t record;
        filled boolean;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR t IN SELECT c.oid::regclass AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = 'public' AND c.relkind = 'r' AND c.relname <> 'lotus_schema' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %s)', t.name) INTO filled;
        IF filled THEN
            EXECUTE format('DELETE FROM %s', t.name);
        END IF;
    END LOOP;
END $$;

-- name: copied_tables
SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'lotus_schema'
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.oid, c.relname
ORDER BY (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'), c.relname;

-- name: identity_columns
SELECT c.relname, a.attname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attidentity <> '';

-- name: export_snapshot
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: live_columns
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, c.relkind = 'v'
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition AND c.relname <> 'lotus_schema'
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum;

-- name: live_primary_keys
SELECT c.relname, array_agg(a.attname::text ORDER BY k.place)
FROM pg_constraint p JOIN pg_class c ON c.oid = p.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(p.conkey) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE p.contype = 'p' AND n.nspname = 'public' AND NOT c.relispartition AND c.relname <> 'lotus_schema'
GROUP BY c.relname;

-- name: older_programs
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND application_name <> current_setting('application_name');

-- name: server
SELECT pg_postmaster_start_time()::text || ' ' || current_setting('port') || ' ' || current_setting('cluster_name');

-- name: lazily
SET synchronous_commit = off;

-- name: lazily_once
SET LOCAL synchronous_commit TO off;

-- name: make_durable
SELECT set_config('synchronous_commit', 'on', true), pg_logical_emit_message(true, 'lotus', '');

-- name: comment
SELECT datname, shobj_description(oid, 'pg_database'), pg_has_role(datdba, 'USAGE')
FROM pg_database WHERE datname = current_database();
