-- What DuckDB is asked when SQL is put to lake and ledgers, how PostgreSQL hands over the columns for it, and rows of any table.
-- Names in braces are filled in as quoted identifiers.

-- name: settings
SET TimeZone = 'UTC';
SET lock_configuration = true;

-- name: parsed
SELECT json_serialize_sql(?, skip_null := true, skip_empty := true);

-- name: schema
CREATE SCHEMA IF NOT EXISTS {schema};

-- name: view
CREATE VIEW {schema}.{table} AS {rows};

-- name: stored_rows
SELECT * FROM {source}

-- name: rows_with
SELECT * REPLACE ({columns}) FROM {source}

-- name: zero_if_not_stored
coalesce({column}, 0) AS {column}

-- name: null_if_unknown
nullif({column}, 'nan') AS {column}

-- name: ordered
SELECT * FROM ($asked
) AS asked ORDER BY {order} LIMIT {limit};

-- name: rising
{column} ASC NULLS LAST

-- name: falling
{column} DESC NULLS LAST

-- name: read_only
SET TRANSACTION READ ONLY;
SET LOCAL statement_timeout = {timeout_ms};

-- name: scan
SELECT {columns} FROM {table} WHERE {conditions} LIMIT {limit};

-- name: top
SELECT {columns} FROM {table} WHERE {conditions} ORDER BY {order} LIMIT {limit};

-- name: counted
SELECT {columns}, count(*) FROM {table} WHERE {conditions} GROUP BY {columns} LIMIT {limit};

-- name: explained
EXPLAIN (FORMAT json) {statement}

-- name: any_order
(SELECT NULL)

-- name: ordered_as_it_is
{column} {way}

-- name: ordered_as_bytes
{column} COLLATE "C" {way}

-- name: every_row
true

-- name: both
{one} AND {other}

-- name: compared_as_bytes
{column} COLLATE "C" {comparison} {value}

-- name: compared
{column} {comparison} {value}

-- name: one_of
{column} IN ({values})

-- name: as_it_is
{column}

-- name: as_text
{column}::text

-- name: as_json
to_json({column})::text

-- name: as_float
{column}::float8

-- name: as_microseconds
floor(extract(epoch from {column}) * 1000000)::bigint

-- name: rows_of_week
SELECT to_jsonb(t) FROM {table} t WHERE t.branch = %(branch)s AND t.{key} > %(after)s AND t.{key} <= %(day)s LIMIT 2000;
