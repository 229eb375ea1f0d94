"""Questions that must not be answered, by what they try.

`{file}` is a file outside the lake, `{new}` one to be made.
"""

WRITES = (
    "CREATE TABLE t AS SELECT 1", "CREATE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW small AS SELECT 1",
    "INSERT INTO small VALUES ('main', '2026-01-05', 1)", "UPDATE small SET n = 1", "DELETE FROM small",
    "TRUNCATE small", "DROP VIEW small", "ALTER TABLE small RENAME TO other", "CREATE SCHEMA s", "CREATE SEQUENCE q",
    "CREATE MACRO m() AS 1", "CREATE TYPE mood AS ENUM ('a')",
    "MERGE INTO small USING small s ON true WHEN MATCHED THEN DELETE",
    "WITH x AS (INSERT INTO small VALUES (1) RETURNING *) SELECT * FROM x",
    "INSERT INTO sig.lessons SELECT * FROM sig.lessons", "UPDATE sig.lessons SET grade = 'A'",
    "DELETE FROM sig.lessons", "DROP TABLE sig.lessons", "BEGIN TRANSACTION", "COMMIT",
    "SELECT 1; DELETE FROM sig.lessons", "SELECT 1; SELECT 2", "SELECT nextval('q')", "VACUUM", "ANALYZE",
    "CHECKPOINT", "PREPARE p AS SELECT 1", "EXECUTE p", "COMMENT ON TABLE small IS 'x'",
)  # fmt: skip
FILES = (
    "COPY (SELECT 1) TO '{new}'", "COPY (SELECT 1) TO '{new}' (FORMAT parquet)", "COPY small FROM '{file}'",
    "COPY (SELECT 1) TO PROGRAM 'touch {new}'", "EXPORT DATABASE '{new}'", "IMPORT DATABASE '{file}'",
    "ATTACH '{new}' AS a", "ATTACH '{file}' AS a (READ_ONLY)", "ATTACH ':memory:' AS a", "DETACH memory",
    "SELECT * FROM '{file}'", "SELECT * FROM \"{file}\"", "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_csv('{file}')", "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('{file}')", "SELECT * FROM read_blob('{file}')", "SELECT * FROM read_parquet('{file}')",
    "SELECT * FROM parquet_scan('{file}')", "SELECT * FROM read_json('{file}')",
    "SELECT * FROM read_ndjson_objects('{file}')", "SELECT * FROM read_duckdb('{file}')",
    "SELECT * FROM glob('/etc/*')", "SELECT * FROM sniff_csv('{file}')", "SELECT * FROM parquet_metadata('{file}')",
    "SELECT * FROM parquet_schema('{file}')", "SELECT (SELECT content FROM read_text('{file}'))",
    "WITH f AS (FROM read_text('{file}')) FROM f", "SELECT * FROM small, LATERAL (SELECT * FROM read_text('{file}'))",
    "SELECT list_transform([1], x -> (FROM read_text('{file}')))", "SELECT 1 WHERE EXISTS (FROM read_text('{file}'))",
    "SELECT * FROM small UNION ALL FROM read_text('{file}')", "DESCRIBE SELECT * FROM read_csv('{file}')",
    "SUMMARIZE SELECT * FROM read_csv('{file}')", "SELECT * FROM query('SELECT * FROM read_text(''{file}'')')",
    "SELECT * FROM query_table('{file}')", "FROM (PIVOT (FROM read_csv('{file}')) ON x IN (1) USING count(*))",
    "SELECT json_serialize_plan('SELECT * FROM read_text(''{file}'')')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM read_text(''{file}'')'))",
    "SELECT * FROM read_csv('https://127.0.0.1:9/x.csv')", "SELECT * FROM 's3://bucket/x.parquet'",
)  # fmt: skip
SETTINGS = (
    "SET memory_limit = '100GB'", "SET enable_external_access = true", "RESET memory_limit",
    "PRAGMA memory_limit='100GB'", "PRAGMA enable_external_access", "SET GLOBAL threads = 100",
    "PRAGMA database_list", "CALL pragma_database_size()", "PRAGMA enable_logging", "CALL enable_logging()",
    "INSTALL httpfs", "LOAD httpfs", "FORCE INSTALL postgres", "INSTALL x FROM community", "LOAD '{file}'",
    "UPDATE EXTENSIONS", "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')", "DROP SECRET s",
    "SELECT * FROM duckdb_secrets()", "SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_extensions()",
    "SELECT current_setting('memory_limit')", "SELECT write_log('x')", "SET VARIABLE x = 1",
    "SELECT * FROM which_secret('a', 's3')", "USE memory", "SELECT * FROM checkpoint()",
    "SELECT * FROM truncate_duckdb_logs()", "EXPLAIN ANALYZE SELECT 1",
)  # fmt: skip
MEMORY = (
    "SELECT * FROM arrow_scan(1::BIGINT::POINTER, 1::POINTER, 1::POINTER)", "SELECT * FROM arrow_scan(0, 0, 0)",
    "SELECT * FROM pandas_scan(12345)", "SELECT * FROM python_map_function(1)", "SELECT * FROM seq_scan('small')",
    "SELECT __internal_decompress_string(1::UHUGEINT)", "SELECT finalize('x'::BLOB)",
    "SELECT * FROM arrow_scan_dumb(1, 1, 1)", "SELECT variant_bytes_to_variant('x'::BLOB)",
    "SELECT * FROM test_all_types()",
)  # fmt: skip
SERVER = (
    "SELECT pg_sleep(100)", "SELECT main.pg_sleep(100)", "SELECT system.main.pg_sleep(100)",
    "SELECT sleep_ms(100000)", "SELECT lo_import('{file}')", "SELECT pg_read_file('{file}')",
    "SELECT * FROM pg_ls_dir('/')", "SELECT dblink('x', 'y')", "SELECT * FROM pg_shadow", "SELECT * FROM pg_authid",
    "SELECT * FROM pg_catalog.pg_stat_activity", "SELECT pg_terminate_backend(1)", "SELECT * FROM dagster.runs",
    "SELECT * FROM sig.pg_class", "SELECT * FROM sig.lotus_schema", "SELECT set_config('a', 'b', false)",
    "SELECT * FROM lotus_sig.public.lessons", "SELECT * FROM \"sig.lessons\"", "SELECT * FROM \"all of small\"",
    "SELECT * FROM information_schema.tables", "SELECT * FROM duckdb_views()", "SHOW TABLES", "SHOW ALL TABLES",
    "SHOW DATABASES", "SELECT forget_day('main', '2026-01-05') FROM sig.lessons",
    "", "  ;", "-- nothing", "SELECT", "\x00", "SELECT '", "SELECT * FROM nosuch", "SELECT nosuch FROM small",
    "SELECT 1" + "+1" * 9900, "SELECT '" + "x" * 20_000 + "'",
)  # fmt: skip
REFUSED = {"writes": WRITES, "files": FILES, "settings": SETTINGS, "memory": MEMORY, "server": SERVER}
ENDLESS = (
    "SELECT count(*) FROM range(10000000000) a, range(10000000000) b",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "WITH RECURSIVE r AS (SELECT repeat('x', 1000) AS t UNION ALL SELECT t || t FROM r) SELECT max(length(t)) FROM r",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r, range(1000)) SELECT count(*) FROM r",
    "SELECT * FROM range(1000000) a, range(1000000) b ORDER BY random()",
    "SELECT list(range) FROM range(10000000000)",
    "SELECT count(*) FROM small a, small b, small c, small d, small e, small f, small g, small h, small i, small j",
)
UNINTERRUPTED = (  # what DuckDB does not interrupt, or allocates beside its own limit
    "SELECT length(repeat('x', 4000000000))",
    "SELECT levenshtein(repeat('a', 3000000), repeat('b', 3000000))",
    "WITH a0 AS (SELECT 1 AS x)"
    + "".join(f", a{k} AS (SELECT * FROM a{k - 1}, a{k - 1} b{k})" for k in range(1, 40))
    + " SELECT count(*) FROM a39",
    "SELECT range(3000000000)",
)
