"""Named queries: `sql/<database>/queries.sql`, each introduced by a line `-- name: what_it_does`.

SQL is written in those files only; this module finds and hands it out.
"""

import re
from functools import cache
from pathlib import Path

from lotus.errors import LedgerError

SQL_ROOT = Path(__file__).resolve().parents[2] / "sql"
NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


@cache
def load_queries(database: str) -> dict[str, bytes]:
    """Return all named queries of a database; raises `LedgerError` for a name that occurs twice."""
    path = SQL_ROOT / database / "queries.sql"
    parts = NAME.split(path.read_text(encoding="utf-8"))
    found: dict[str, bytes] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if name in found:
            raise LedgerError(f"{path.name} of {database} names {name!r} twice", "each query once")
        found[name] = text.strip().rstrip(";").encode()
    return found


def query(database: str, name: str) -> bytes:
    """Return one named query; raises `LedgerError` when the file has none of that name."""
    found = load_queries(database)
    if name not in found:
        raise LedgerError(f"sql/{database}/queries.sql has no query {name!r}", f"one of {', '.join(sorted(found))}")
    return found[name]


def columns_of_copy(database: str, name: str) -> list[str]:
    """Return the column names of a named `COPY table (a, b, ...) FROM STDIN` statement."""
    text = query(database, name).decode()
    return [word.strip() for word in text[text.index("(") + 1 : text.index(")")].split(",")]
