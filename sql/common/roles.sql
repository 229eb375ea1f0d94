-- Roles and rights, put together by lotus_store.postgres.roles; every statement may be repeated.

-- name: make_role
DO $$ BEGIN
    CREATE ROLE {role} {login} NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;

-- name: open_database
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {module};
GRANT CONNECT ON DATABASE {database} TO {readers};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
GRANT USAGE ON SCHEMA public TO {module}, {readers};

-- name: open_dagster
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {dagster};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO {dagster};

-- name: own_everything
DO $$
DECLARE
    part record;
BEGIN
    FOR part IN SELECT c.oid::regclass AS name FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
                  AND c.relowner <> {owner_name}::regrole LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO %I', part.name, {owner_name});
    END LOOP;
    FOR part IN SELECT p.oid::regprocedure AS name FROM pg_proc p
                WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> {owner_name}::regrole LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', part.name, {owner_name});
    END LOOP;
END $$;

-- name: open_functions
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {module};

-- name: open_table
REVOKE ALL ON TABLE {table} FROM PUBLIC, {module}, {readers};
GRANT {rights} ON TABLE {table} TO {module};
GRANT SELECT ON TABLE {table} TO {readers};

-- name: closed
SELECT 1 FROM pg_database WHERE datname = current_database() AND datacl IS NOT NULL;

-- name: strangers
SELECT c.relname::text FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND c.relowner <> %s::regrole
UNION ALL
SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> %s::regrole;

-- name: role_matrix
SELECT r.rolname::text, c.relname::text, array_remove(ARRAY[
    CASE WHEN has_table_privilege(r.oid, c.oid, 'SELECT') THEN 'SELECT' END,
    CASE WHEN has_table_privilege(r.oid, c.oid, 'INSERT') THEN 'INSERT' END,
    CASE WHEN has_table_privilege(r.oid, c.oid, 'UPDATE') THEN 'UPDATE' ELSE (
        SELECT 'UPDATE (' || string_agg(a.attname, ', ' ORDER BY a.attnum) || ')' FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
          AND has_column_privilege(r.oid, c.oid, a.attnum, 'UPDATE')) END,
    CASE WHEN has_table_privilege(r.oid, c.oid, 'DELETE') THEN 'DELETE' END,
    CASE WHEN has_table_privilege(r.oid, c.oid, 'TRUNCATE') THEN 'TRUNCATE' END
], NULL)
FROM pg_roles r, pg_class c
WHERE r.rolname = ANY (%s) AND c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
  AND NOT c.relispartition
ORDER BY c.relname, array_position(%s, r.rolname::text);
