"""The first rows of one table: which questions PostgreSQL may order and cut before anything is handed over.

`SELECT * FROM t WHERE ... ORDER BY ... LIMIT n` and nothing else: every condition compares a column with a constant as
both databases do, every order is one of both. DuckDB answers the whole question over those rows again, so that the rows
handed over need only hold the answer. (Literature: top-n pushdown.)
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lotus_store.views.pushdown import ColumnCondition

_COMPARISONS = {
    "COMPARE_EQUAL": "==",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_LESSTHAN": "<",
}
_WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT"})
_KNOWN = frozenset({"type", "modifiers", "select_list", "from_table", "where_clause", "aggregate_handling", "cte_map"})
_FROM = frozenset({"type", "alias", "query_location", "schema_name", "table_name"})
_STAR = frozenset({"class", "type", "query_location", "columns"})  # `columns`: COLUMNS(...) in its place
_COLUMN = frozenset({"class", "type", "query_location", "column_names"})


@dataclass(frozen=True, slots=True)
class Ordered:
    """One column of an order."""

    column: str
    is_descending: bool
    is_null_first: bool


@dataclass(frozen=True, slots=True)
class Top:
    """The first `rows` of a table that meet all conditions, in an order (none: any of them)."""

    conditions: tuple[ColumnCondition, ...]
    order: tuple[Ordered, ...]
    rows: int


class _Otherwise(Exception):
    """A question of another form."""


def top_asked(statement: Mapping[str, Any], column_of: Callable[[str], str]) -> Top | None:
    """Return what a parsed question takes from its only table, None for a question of any other form.

    `column_of` gives the stored name of a column of the table, "" for none.
    """
    node = statement.get("node", {})
    try:
        _check_form(node)
        alias = {str(node["from_table"].get(name, "")).lower() for name in ("alias", "table_name")}
        named = _Names(alias, column_of)
        for item in node["select_list"]:
            if not (item.get("type") == "STAR" and set(item) <= _STAR and not item.get("columns")):
                named.column(item)
        modifiers = {part["type"]: part for part in node.get("modifiers", ())}
        if "LIMIT_MODIFIER" not in modifiers or set(modifiers) - {"LIMIT_MODIFIER", "ORDER_MODIFIER"}:
            return None
        limit = modifiers["LIMIT_MODIFIER"]
        rows = sum(_whole(limit[part]) for part in ("limit", "offset") if limit.get(part) is not None)
        orders = modifiers.get("ORDER_MODIFIER", {}).get("orders", ())
        return Top(tuple(_conditions(node.get("where_clause"), named)), tuple(named.order(one) for one in orders), rows)
    except (_Otherwise, KeyError, TypeError):
        return None


def _check_form(node: Mapping[str, Any]) -> None:
    table = node.get("from_table", {})
    is_plain = node.get("type") == "SELECT_NODE" and table.get("type") == "BASE_TABLE" and set(table) <= _FROM
    is_one = node.get("aggregate_handling") == "STANDARD_HANDLING" and not node.get("cte_map", {}).get("map")
    if not (is_plain and is_one and set(node) <= _KNOWN):
        raise _Otherwise


class _Names:
    """The names of one table's columns, as a question writes them."""

    def __init__(self, tables: set[str], column_of: Callable[[str], str]) -> None:
        self._tables, self._column_of = tables, column_of

    def column(self, node: Mapping[str, Any]) -> str:
        """Return the stored name of a plain column; an alias could be another column's name."""
        names = node.get("column_names", ())
        if node.get("type") != "COLUMN_REF" or not set(node) <= _COLUMN or not 1 <= len(names) <= 2:
            raise _Otherwise
        found = self._column_of(names[-1])
        if not found or (len(names) == 2 and names[0].lower() not in self._tables):
            raise _Otherwise
        return found

    def order(self, node: Mapping[str, Any]) -> Ordered:
        """Return one part of an order; DuckDB puts unknown values last either way."""
        return Ordered(
            self.column(node["expression"]), node["type"] == "DESCENDING", node["null_order"] == "NULLS FIRST"
        )


def _conditions(node: Mapping[str, Any] | None, named: _Names) -> Iterator[ColumnCondition]:
    """Yield conditions that together say exactly what a `WHERE` says."""
    if node is None:
        return
    if node["type"] == "CONJUNCTION_AND":
        for part in node["children"]:
            yield from _conditions(part, named)
    elif node["type"] == "COMPARE_BETWEEN":
        column = named.column(node["input"])
        yield ColumnCondition(column, ">=", _constant(node["lower"]))
        yield ColumnCondition(column, "<=", _constant(node["upper"]))
    elif node["type"] == "COMPARE_IN":
        first, *values = node["children"]
        words = tuple(_constant(value) for value in values)
        texts = tuple(word for word in words if isinstance(word, str))
        if len(texts) != len(words):
            raise _Otherwise
        yield ColumnCondition(named.column(first), "in", texts)
    elif node["type"] in _COMPARISONS:
        yield ColumnCondition(named.column(node["left"]), _COMPARISONS[node["type"]], _constant(node["right"]))
    else:
        raise _Otherwise


def _constant(node: Mapping[str, Any]) -> str | int:
    value = node["value"] if node["type"] == "VALUE_CONSTANT" else {}
    kind, found = value.get("type", {}).get("id"), value.get("value")
    if kind == "VARCHAR" and isinstance(found, str) and "\0" not in found:
        return found
    return _whole(node)


def _whole(node: Mapping[str, Any]) -> int:
    value = node["value"] if node["type"] == "VALUE_CONSTANT" else {}
    if value.get("type", {}).get("id") not in _WHOLE or type(value.get("value")) is not int:
        raise _Otherwise
    return int(value["value"])
