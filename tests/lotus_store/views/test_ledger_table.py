"""Tables of the ledgers in SQL: every type, only the rows and columns asked for, bounds, and nothing but reading."""

import json
import time
from typing import Any

import pytest

from lotus.errors import QueryError
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.manifests.model import load_manifest
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.roles import DAGSTER
from lotus_store.views import ledger_table
from lotus_store.views.bounds import Bounds
from lotus_store.views.ledger_table import LedgerTable
from lotus_store.views.session import Views

BODY = {"detector_id": "d", "horizon_s": 30, "state": "active", "grade": "A", "reason": "", "uplift_bps": 1.5}
BODY |= {"lcb_bps": "NaN", "rule": {"x": [1, 'ä\n"']}}


@pytest.fixture
def filled(databases: Databases) -> Databases:
    """Ledgers with three lessons on two branches."""
    with databases.owner("sig") as sig:
        for branch, lesson_id in (("main", "l1"), ("main", "l'2"), ("böse", "l3")):
            row = [branch, "2026-01-05", lesson_id, json.dumps(BODY)]
            sig.execute("INSERT INTO lessons (branch, day, lesson_id, body) VALUES (%s, %s, %s, %s)", row)
    return databases


def asked(databases: Databases, settings: Settings, text: str, bounds: Bounds | None = None, **given: Any) -> Any:
    with Views(settings, bounds, databases) as views:
        return views.ask(text, given).table().to_pylist()


def test_rows_are_those_of_the_ledger(filled: Databases, settings: Settings) -> None:
    found = asked(filled, settings, "SELECT * FROM sig.lessons WHERE branch = 'main' AND lesson_id = 'l1'")
    rest = {name: value for name, value in BODY.items() if name not in ("rule", "lcb_bps")}
    given = {"branch": "main", "day": "2026-01-05", "lesson_id": "l1", "lcb_bps": None}
    assert found == [rest | given | {"body": found[0]["body"], "words": "'a':3 'active':2 'd':1 'l1':4"}]
    assert json.loads(found[0]["body"]) == BODY
    text = "SELECT body ->> '$.rule.x[1]' AS t, avg(lcb_bps) AS a FROM sig.lessons GROUP BY 1"
    assert asked(filled, settings, text) == [{"t": 'ä\n"', "a": None}]


@pytest.mark.parametrize(
    "where",
    ["branch = 'main'", "branch = 'böse'", "branch > 'a' AND branch < 'c'", "lesson_id = 'l''2'", "horizon_s >= 30", 
     "horizon_s IN (30, 60)",     "lesson_id IN ('l1', 'l3')", "branch <> 'main'", "uplift_bps > 1", "lcb_bps IS NULL", 
     "branch || day = 'main2026-01-05'",     "branch = 'main' OR horizon_s = 5", "NOT (branch = 'main')",
     "branch LIKE 'b%'", "day = DATE '2026-01-05'"],
)  # fmt: skip
def test_conditions_mean_the_same_there_as_here(filled: Databases, settings: Settings, where: str) -> None:
    """The same question to a copy inside of DuckDB, where nothing is pushed down."""
    here = f"WITH c AS MATERIALIZED (SELECT * FROM sig.lessons) SELECT lesson_id FROM c WHERE {where} ORDER BY 1"
    there = f"SELECT lesson_id FROM sig.lessons WHERE {where} ORDER BY 1"
    assert asked(filled, settings, there) == asked(filled, settings, here)


def test_only_what_is_needed_is_asked_of_postgresql(
    filled: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    statement = LedgerTable._statement

    def noted(self: LedgerTable, *words: Any) -> Any:
        made = statement(self, *words)
        statements.append(made.as_string())
        return made

    monkeypatch.setattr(LedgerTable, "_statement", noted)
    asked(filled, settings, "SELECT grade FROM sig.lessons WHERE branch = 'main' AND horizon_s > 5 AND uplift_bps > 0")
    (made,) = statements
    assert made.startswith('SELECT "branch", "horizon_s", "grade", "uplift_bps" FROM "lessons"')
    assert '"branch" = \'main\' AND "horizon_s" > 5 LIMIT' in made


def test_every_table_of_every_ledger_can_be_read(filled: Databases, settings: Settings) -> None:
    with Views(settings, databases=filled) as views:
        ledgers = [name for name in views.tables() if name.schema]
        assert {name.schema for name in ledgers} == set(LOTUS_DATABASES)
        for name in ledgers:
            found = views._source(name).scanner().to_table()
            assert found.schema.names == list(load_manifest(name.schema).tables[name.table].columns)


def test_rows_and_time_are_bounded(filled: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(QueryError, match=r"lessons has more than 2 rows.*expected: fewer"):
        asked(filled, settings, "SELECT count(*) FROM sig.lessons", Bounds(ledger_rows=2))
    assert len(asked(filled, settings, "SELECT * FROM sig.lessons", Bounds(ledger_rows=3))) == 3
    slow = ledger_table.sql.SQL("SELECT pg_sleep(30)::text")
    monkeypatch.setattr(LedgerTable, "_statement", lambda *_: slow)
    with pytest.raises(QueryError, match=r"statement timeout|takes longer than it may"):
        asked(filled, settings, "SELECT grade FROM sig.lessons", Bounds(seconds=0.3))


def test_the_transaction_of_a_scan_cannot_write(
    filled: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if a statement that writes got as far as PostgreSQL, and the login were the owner's."""
    for text in ("DELETE FROM lessons RETURNING branch", "SELECT set_config('transaction_read_only', 'off', true)"):
        monkeypatch.setattr(LedgerTable, "_statement", lambda *_, text=text: ledger_table.sql.SQL(text))
        monkeypatch.setattr(filled, "reader", filled.owner)
        with pytest.raises(QueryError):
            asked(filled, settings, "SELECT grade FROM sig.lessons")
    with filled.connect("sig") as sig:
        assert sig.execute("SELECT count(*) FROM lessons").fetchone() == (3,)


def test_a_ledger_of_another_schema_is_explained(filled: Databases, settings: Settings) -> None:
    with filled.owner("sig") as sig:
        sig.execute("ALTER TABLE lessons RENAME COLUMN grade TO mark")
        sig.commit()
        try:
            with pytest.raises(
                QueryError, match=r'lessons cannot be read: column "grade" does not exist.*lotus db check'
            ):
                asked(filled, settings, "SELECT grade FROM sig.lessons")
        finally:
            sig.execute("ALTER TABLE lessons RENAME COLUMN mark TO grade")


def test_no_connection_stays_behind(filled: Databases, settings: Settings) -> None:
    with Views(settings, databases=filled) as views:
        for _ in range(5):
            views.ask("SELECT * FROM sig.lessons a, sig.lessons b").close()
            with pytest.raises(QueryError):
                views.ask("SELECT error(branch) FROM sig.lessons").table()
    with filled.owner("sig") as sig:
        others = "SELECT state, query FROM pg_stat_activity WHERE usename = %s AND datname = current_database()"
        for _ in range(20):
            sig.execute("SELECT pg_stat_clear_snapshot()")
            if not (left := sig.execute(others, [DAGSTER]).fetchall()):
                break
            time.sleep(0.1)
        assert left == []
