"""Named queries: each is valid SQL, and unknown ones are named."""

import re

import psycopg
import pytest

from lotus.errors import LedgerError
from lotus_store.databases import Databases
from lotus_store.postgres.queries import MODULES, load_queries, message_query, query


def with_rows(text: bytes) -> bytes:
    """Return a statement for two rows of values where it takes rows, as wide as its columns, of a table by months."""
    found = re.search(rb"\(([^()]*)\)\s+VALUES \{rows\}|\(VALUES \{rows\}\) s \(([^()]*)\)", text)
    columns = (found[1] or found[2]).split(b",") if found else []
    row = b"(" + b", ".join([b"%s"] * len(columns)) + b")"
    text = text.replace(b"{table}", b"stage_costs")
    return re.sub(rb"\{par(t|ent)\}", b"signal_events", text.replace(b"{rows}", b", ".join([row] * 2)))


@pytest.mark.parametrize("module", MODULES)
def test_every_named_query_is_valid_sql(databases: Databases, module: str) -> None:
    names = [
        with_rows(message_query(module, name, file))
        for file in ("messages.sql", "keys.sql", "ledger.sql")
        for name in load_queries("common", file)
    ]
    names += [with_rows(query(module, name)) for name in load_queries(module)]
    with databases.connect(module) as c:
        c.execute(query("sig", "stage_live_events")) if module == "sig" else None
        for text in names:
            if not text.startswith((b"COPY", b"LOCK", b"CREATE")):
                numbered, _ = psycopg._queries._query2pg(text, "utf-8")[:2]
                c.pgconn.prepare(b"", numbered)
                result = c.pgconn.prepare(b"", numbered)
                assert result.status == psycopg.pq.ExecStatus.COMMAND_OK, (text, result.error_message)


def test_unknown_queries_and_modules_are_named() -> None:
    with pytest.raises(LedgerError, match="has no query 'nothing'"):
        query("sig", "nothing")
    with pytest.raises(LedgerError, match="no module 'foo'"):
        message_query("foo", "sent")
