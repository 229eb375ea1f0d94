"""Every column of every table is written by somebody: a named query names it, or the database makes it itself.

Of the tables that `lotus_store.manifests.model` lists, and the queries of `lotus_store.postgres.queries`.
"""

import re

import pytest

from lotus_store.databases import Databases
from lotus_store.manifests.model import load_manifest
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import SQL_ROOT

COMMON = ("messages.sql", "beliefs.sql", "ledger.sql", "queries.sql", "keys.sql")

FIRST = {"sig_strand.parent_id", "vis_strand.parent_id", "vis_strand.regime"}  # signals and hints begin threads


def writers(name: str) -> list[str]:
    """Return the statements of a database that write something."""
    text = (SQL_ROOT / name / "queries.sql").read_text()
    text += "".join((SQL_ROOT / "common" / file).read_text() for file in COMMON).replace("{mod}", name)
    return [s for s in re.sub(r"--[^\n]*", "", text).split(";") if re.search(r"INSERT INTO|UPDATE|COPY", s)]


@pytest.mark.parametrize("name", LOTUS_DATABASES)
def test_every_column_is_written(databases: Databases, name: str) -> None:
    said = writers(name)
    with databases.connect(name) as connection:
        made = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND (column_default IS NOT NULL OR is_identity = 'YES' OR is_generated = 'ALWAYS')"
        ).fetchall()
    unwritten = []
    for table, spec in load_manifest(name).tables.items():
        own = " ".join(s for s in said if re.search(rf"(INSERT INTO|UPDATE|COPY) ({table}|staged_events)\b", s))
        left = [c for c in spec.columns if not re.search(rf"\b{c}\b", own) and (table, c) not in made]
        unwritten += [f"{table}.{c}" for c in left] if spec.kind == "table" else []
    assert set(unwritten) <= FIRST
