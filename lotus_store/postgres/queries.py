"""Named queries: `sql/<database>/queries.sql`, each introduced by a line `-- name: what_it_does`.

SQL is written in those files only; this module finds and hands it out.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from lotus.errors import LedgerError

SQL_ROOT = Path(__file__).resolve().parents[1] / "sql"  # in a checkout a link to the folder beside the packages
NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


Connection = psycopg.Connection[tuple[Any, ...]]
TOGETHER = 1000  # rows of one statement, whose values are counted in 16 bits
MODULES = ("sig", "dm", "tr", "vis")


@cache
def load_queries(database: str, file: str = "queries.sql") -> dict[str, bytes]:
    """Return all named queries of a file; raises `LedgerError` for a name that occurs twice."""
    path = SQL_ROOT / database / file
    parts = NAME.split(path.read_text(encoding="utf-8"))
    queries: dict[str, bytes] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if name in queries:
            raise LedgerError(f"{path.name} of {database} names {name!r} twice", "each query once")
        queries[name] = text.strip().rstrip(";").encode()
    return queries


def query(database: str, name: str) -> bytes:
    """Return one named query of `sql/<database>/queries.sql`; raises `LedgerError` when there is none of that name."""
    return _named(load_queries(database), database, name)


@cache
def message_query(module: str, name: str, file: str = "messages.sql") -> bytes:
    """Return one named query of a file of `sql/common` for the tables of a module."""
    if module not in MODULES:
        raise LedgerError(f"there is no module {module!r}", f"one of {', '.join(MODULES)}")
    return _named(load_queries("common", file), "common", name).replace(b"{mod}", module.encode())


def message_rows(module: str, name: str, rows: Sequence[Sequence[Any]]) -> tuple[bytes, list[Any]]:
    """Return a named query for so many rows of values, and the values in one list."""
    return _for_rows(message_query(module, name), rows)


def put_rows(connection: Connection, text: bytes, rows: Sequence[Sequence[Any]]) -> None:
    """Execute a query that has `{rows}` for all rows, `TOGETHER` at a time; not at all where there are none."""
    for start in range(0, len(rows), TOGETHER):
        connection.execute(*_for_rows(text, rows[start : start + TOGETHER]))


def columns_of_copy(database: str, name: str) -> list[str]:
    """Return the column names of a named `COPY table (a, b, ...) FROM STDIN` statement."""
    text = query(database, name).decode()
    return [word.strip() for word in text[text.index("(") + 1 : text.index(")")].split(",")]


def _for_rows(text: bytes, rows: Sequence[Sequence[Any]]) -> tuple[bytes, list[Any]]:
    """Return a query for so many rows, and their values in one list.

    A list of rows costs a third of arrays of columns where there are few, and no more where there are many.
    """
    row = b"(" + b", ".join([b"%s"] * len(rows[0])) + b")"
    return text.replace(b"{rows}", b", ".join([row] * len(rows))), [value for values in rows for value in values]


def _named(queries: dict[str, bytes], database: str, name: str) -> bytes:
    if name not in queries:
        raise LedgerError(f"sql/{database} has no query {name!r}", f"one of {', '.join(sorted(queries))}")
    return queries[name]
