"""What may be asked: one SELECT, of tables that exist, without functions that sleep, write or take raw memory.

DuckDB's own parser says what a text means; nothing is recognised by its letters. Files, attached databases, extensions
and settings are also closed by DuckDB's configuration (`session`), so that each of the two gates holds by itself.
(Literature: allow-list, defence in depth.)
"""

import difflib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from lotus.errors import QueryError
from lotus_store.postgres.queries import query

LONGEST = 20_000  # characters of a question
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest", "json_each", "json_tree"})
REFUSED = frozenset({
    "pg_sleep", "sleep_ms", "write_log", "nextval", "currval", "setseed", "combine", "finalize", "stats",
    "create_sort_key", "parse_duckdb_log_message", "json_serialize_plan", "json_deserialize_sql",
    "variant_bytes_to_variant", "current_setting", "getvariable", "getenv",
})  # fmt: skip
INTERNAL = "__internal"
LAKE = "main"  # DuckDB's schema of names without one
ONE_SELECT = "one SELECT, without a semicolon inside"


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a question names it; the schema is empty for one of the lake."""

    schema: str
    table: str

    def __str__(self) -> str:
        """Return the name as it is written."""
        return f"{self.schema}.{self.table}" if self.schema else self.table


def parsed_question(connection: Any, text: str) -> dict[str, Any]:
    """Return a question as DuckDB parses it; raises `QueryError` for one that is no single SELECT."""
    if len(text) > LONGEST:
        raise QueryError(f"the question has {len(text):,} characters", f"at most {LONGEST:,}")
    parsed = json.loads(connection.execute(query("views", "parsed").decode(), [text]).fetchone()[0])
    statements = parsed.get("statements", [])
    if parsed.get("error") or len(statements) != 1:
        raise QueryError(_refusal(parsed, len(statements)), ONE_SELECT, "it writes, sets something, or is not whole")
    statement: dict[str, Any] = statements[0]
    return statement


def tables_asked(statement: dict[str, Any], tables: Collection[TableName]) -> set[TableName]:
    """Return the tables that a parsed question reads; raises `QueryError` for one that may not be asked."""
    nodes = list(_nodes(statement))
    for node in nodes:
        _check_function(node)
        _check_show(node)
    aliases = {_lower(entry.get("key")) for node in nodes for entry in node.get("cte_map", {}).get("map", [])}
    named = [node for node in nodes if node.get("type") == "BASE_TABLE"]
    return {_resolved(node, tables) for node in named if not _is_alias(node, aliases)}


def _refusal(parsed: Any, count: int) -> str:
    message = str(parsed.get("error_message", "")).split("\n")[0]
    return f"the question cannot be read: {message}" if message else f"{count} statements were found"


def _nodes(root: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a parsed statement, without recursion."""
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _check_function(node: dict[str, Any]) -> None:
    if node.get("type") == "TABLE_FUNCTION":
        name = _lower(node.get("function", {}).get("function_name"))
        if name not in TABLE_FUNCTIONS:
            cause = "files and settings cannot be read; `lotus sql` without a question lists the tables"
            raise QueryError(f"{name}() stands as a table", f"one of {', '.join(sorted(TABLE_FUNCTIONS))}", cause)
    name = _lower(node.get("function_name"))
    if name in REFUSED or name.startswith(INTERNAL):
        raise QueryError(f"the function {name}()", "one that only computes from its arguments")


def _check_show(node: dict[str, Any]) -> None:
    if node.get("type") == "SHOW_REF" and "query" not in node:
        raise QueryError("SHOW", "DESCRIBE table or SUMMARIZE table; `lotus sql` without a question lists the tables")


def _is_alias(node: dict[str, Any], aliases: set[str]) -> bool:
    return not node.get("schema_name") and _lower(node.get("table_name")) in aliases


def _resolved(node: dict[str, Any], tables: Collection[TableName]) -> TableName:
    schema = _lower(node.get("schema_name"))
    name = TableName("" if schema == LAKE else schema, _lower(node.get("table_name")))
    if node.get("catalog_name") or name not in tables:
        names = sorted(map(str, tables))
        near = difflib.get_close_matches(str(name), names, n=3) or difflib.get_close_matches(name.table, names, n=3)
        near = near or [n for n in names if n.endswith(f".{name.table}")]
        expected = f"one like {', '.join(near)}" if near else "a table that `lotus sql` without a question lists"
        raise QueryError(f"there is no table {str(name)[:80]}", expected, "a wrong name, or nothing computed yet")
    return name


def _lower(text: Any) -> str:
    return str(text or "").lower()
