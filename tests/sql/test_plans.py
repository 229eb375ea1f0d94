"""What `lotus explain`, `pnl` and `lessons` ask (sql/sig/queries.sql) goes through an index once a table is large."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql
from warm import empty_all

from lotus_store.databases import Databases
from lotus_store.postgres.queries import query

ROWS, BRANCHES = 8_000, 400
EMPTY = "cost=0.00..0.00"  # as of a month without rows
FILLED = {
    "sig": (
        "signal_events", "signal_eval", "signal_eval_horizons", "lessons", "braid_history", "experiments", "executions",
        "live_events", "live_orders", "live_fills", "live_log", "active_priors", "day_commits",
    ),
    "tr": ("tr_plans", "tr_orders", "tr_fills", "tr_strand"),
}  # fmt: skip
VALUES = {  # others follow from the number of the row and the type of the column
    "branch": f"'b' || g % {BRANCHES}", "run_id": f"'r' || g % {BRANCHES}",
    "day": "'2026-01-' || lpad((1 + g % 28)::text, 2, '0')", "day_commits.stage": "'s' || g",
    "kind": "'book'", "stage": "CASE WHEN g % 9 = 0 THEN 'working' ELSE 'done' END", "outcome": "'closed'",
    "venue": "'hyperliquid'", "state": "'closed'", "new_state": "'active'", "old_state": "'proposed'",
}  # fmt: skip
BY_TYPE = {
    "text": "'n' || g", "bigint": "g", "integer": "g", "smallint": "g % 100", "double precision": "g", "numeric": "g",
    "boolean": "false", "jsonb": "'{}'::jsonb", "json": "'{}'::json", "timestamp with time zone": "now()",
    "bytea": "'x'::bytea", "ARRAY": "'{}'",
}  # fmt: skip
ASKED: list[tuple[str, str, Any]] = [
    ("sig", "read_event", ["n7"]),
    ("sig", "read_eval", ["n7"]),
    ("sig", "read_eval_horizons", ["n7"]),
    ("sig", "execution_of", ["n7"]),
    ("sig", "executions_of", ["b7", 0, 500]),
    ("sig", "read_lesson", ["n7"]),
    ("sig", "read_braid", ["n7"]),
    ("sig", "read_priors", ["b7", "n7"]),
    ("sig", "read_lessons", {"branch": "b7", "day": "2026-01-08"}),
    ("sig", "read_experiments", ["b7", "2026-01-08", "book"]),
    ("sig", "read_registry", {"branch": "b7", "day": None}),
    ("sig", "read_commits", {"branch": "b7", "stage": None}),
    ("sig", "live_runs", ["b7", "2026-01-08"]),
    ("tr", "plans_for", {"name": "n7"}),
    ("tr", "orders_of_plan", ["n7"]),
    ("tr", "fills_of_plan", ["n7"]),
    ("tr", "plan_of_order", ["n7"]),
    ("tr", "book_results", ["b7"]),
]


@pytest.fixture(scope="module")
def filled(migrated: Databases) -> Iterator[Databases]:
    """Databases whose large tables have some thousand rows of many branches."""
    for database, tables in FILLED.items():
        with migrated.owner(database) as connection:
            if database == "sig":
                connection.execute(query("sig", "make_partitions"), ["2026-01-01"])
            for table in tables:
                connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.Identifier(table)))
            for table in tables:
                columns = connection.execute(
                    "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' "
                    "AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
                    [table],
                ).fetchall()
                values = [
                    VALUES.get(f"{table}.{name}", VALUES.get(str(name), BY_TYPE[str(kind)])) for name, kind in columns
                ]
                connection.execute(
                    sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {}) g").format(
                        sql.Identifier(table),
                        sql.SQL(", ").join(sql.Identifier(str(name)) for name, _ in columns),
                        sql.SQL(", ").join(map(sql.SQL, values)),  # type: ignore[arg-type]
                        ROWS,
                    )
                )
        with migrated.owner(database, autocommit=True) as connection:
            connection.execute("ANALYZE")
    yield migrated
    empty_all(migrated)


@pytest.mark.parametrize(("database", "name", "values"), ASKED, ids=[name for _, name, _ in ASKED])
def test_no_large_table_is_read_from_end_to_end(filled: Databases, database: str, name: str, values: Any) -> None:
    with filled.owner(database) as connection:
        rows = connection.execute(b"EXPLAIN " + query(database, name), values).fetchall()
    plan = [str(line) for (line,) in rows]
    assert not [line for line in plan if "Seq Scan" in line and EMPTY not in line], "\n".join(plan)
