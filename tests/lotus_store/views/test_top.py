"""Orders, limits and counts over a ledger's table are PostgreSQL's work where it says the same, and are the same."""

import json
from typing import Any

import pytest

from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.views import ledger_table
from lotus_store.views.bounds import Bounds
from lotus_store.views.ledger_table import LedgerTable
from lotus_store.views.session import Views

DAYS, ROWS = ("2026-01-05", "2026-01-06"), 400
BODY = {"detector_id": "d", "horizon_s": 30, "state": "REFUSED", "reason": "", "lcb_bps": "NaN"}
SAME = [  # pushed or not, an answer is that of DuckDB over all rows
    "SELECT lesson_id, horizon_s FROM {t} ORDER BY horizon_s DESC, lesson_id LIMIT 7",
    "SELECT * FROM {t} WHERE branch = 'main' AND day BETWEEN '2026-01-05' AND '2026-01-05' ORDER BY lesson_id LIMIT 3",
    "SELECT lesson_id FROM {t} AS l WHERE l.grade IN ('A', 'é') ORDER BY l.lesson_id DESC LIMIT 5 OFFSET 4",
    "SELECT grade, lesson_id FROM {t} ORDER BY grade NULLS FIRST, lesson_id DESC LIMIT 30",
    "SELECT grade, lesson_id FROM {t} ORDER BY grade DESC NULLS LAST, lesson_id LIMIT 350",
    "SELECT grade, lesson_id FROM {t} ORDER BY GRADE DESC, LESSON_ID LIMIT 350",
    "SELECT lesson_id FROM {t} ORDER BY uplift_bps DESC, lesson_id LIMIT 9",  # unknown is not a number there
    "SELECT lesson_id AS grade FROM {t} ORDER BY grade LIMIT 4",  # the alias is meant
    "SELECT max(lesson_id) AS m FROM {t} LIMIT 1",
    "SELECT DISTINCT grade FROM {t} ORDER BY grade LIMIT 3",
    "SELECT grade, count(*) AS n FROM {t} GROUP BY grade ORDER BY n DESC, grade LIMIT 3",
    "SELECT count(*) AS n FROM (SELECT * FROM {t} LIMIT 5)",
    "SELECT lesson_id FROM {t} WHERE horizon_s > 30 OR grade = 'A' ORDER BY lesson_id LIMIT 3",
    "SELECT lesson_id FROM {t} WHERE lower(grade) = 'a' ORDER BY lesson_id LIMIT 3",
    "SELECT lesson_id FROM {t} WHERE uplift_bps > 3 ORDER BY lesson_id LIMIT 3",
    "SELECT a.lesson_id FROM {t} a JOIN {t} b USING (lesson_id) ORDER BY a.lesson_id LIMIT 3",
    "SELECT lesson_id FROM {t} UNION ALL SELECT grade FROM {t} ORDER BY 1 LIMIT 3",
    "SELECT lesson_id FROM {t} ORDER BY lesson_id LIMIT (SELECT 3)",
    "SELECT lesson_id FROM {t} ORDER BY length(reason), lesson_id LIMIT 3",
    "SELECT lesson_id, row_number() OVER (ORDER BY lesson_id DESC) AS k FROM {t} ORDER BY lesson_id LIMIT 3",
    "SELECT * EXCLUDE (body) FROM {t} ORDER BY lesson_id LIMIT 3",
    "SELECT COLUMNS('les.*') FROM {t} ORDER BY lesson_id LIMIT 3",
    "SELECT lesson_id FROM {t} WHERE lesson_id > 'l1\\' OR lesson_id < 'a''; --' ORDER BY lesson_id LIMIT 4",
    "SELECT count(*) AS n, count(grade) AS g, min(day) AS a, max(horizon_s) AS z FROM {t}",
    "SELECT day, grade, count(*) AS n FROM {t} WHERE branch <> 'other' GROUP BY ALL ORDER BY ALL",
    "SELECT count(DISTINCT grade) AS n, sum(horizon_s) AS s, avg(horizon_s) AS m FROM {t}",
    "SELECT grade FROM {t} GROUP BY grade HAVING count(*) > 57 ORDER BY grade",
]


@pytest.fixture(scope="module")
def filled(migrated: Databases) -> Databases:
    """Lessons on three branches with grades that sort otherwise by letters, some of them unknown."""
    from warm import empty_all

    empty_all(migrated)
    grades = ("A", "a", "B", "é", None, "ä", "Z")
    with migrated.owner("sig") as sig:
        for k in range(ROWS):
            body = BODY | {"grade": grades[k % 7], "horizon_s": 30 * (k % 3), "uplift_bps": "NaN" if k % 5 else k}
            row = [("main", "böse", "other")[k % 3], DAYS[k % 2], f"l{k}", json.dumps(body)]
            sig.execute("INSERT INTO lessons (branch, day, lesson_id, body) VALUES (%s, %s, %s, %s)", row)
        sig.execute("ANALYZE lessons")
    return migrated


@pytest.fixture
def settings(migrated: Databases, server_dsn: str, tmp_path: Any) -> Settings:
    """Settings of a home whose rows stay from test to test."""
    from dataclasses import replace

    return replace(Settings(tmp_path / "home"), server_dsn=server_dsn)


def asked(databases: Databases, settings: Settings, text: str, bounds: Bounds | None = None) -> Any:
    with Views(settings, bounds, databases) as views:
        return views.ask(text).table().to_pylist()


@pytest.mark.parametrize("text", SAME)
def test_an_answer_is_that_over_all_rows(
    filled: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(ledger_table, "MANY_ROWS", 1)
    monkeypatch.setattr(ledger_table, "REPEATED", 16)
    monkeypatch.setattr(ledger_table, "FEWER", 2)
    there = asked(filled, settings, text.format(t="sig.lessons"))
    here = f"WITH copy AS MATERIALIZED (SELECT * FROM sig.lessons) {text.format(t='copy')}"
    assert there == asked(filled, settings, here)
    assert there


def test_what_postgresql_is_asked(filled: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound on rows an order with a limit and a count are answered, and nothing else is."""
    monkeypatch.setattr(ledger_table, "MANY_ROWS", 1)
    few = Bounds(ledger_rows=20)
    newest = asked(filled, settings, "SELECT lesson_id FROM sig.lessons ORDER BY day DESC, lesson_id LIMIT 2", few)
    assert newest == [{"lesson_id": "l1"}, {"lesson_id": "l101"}]
    assert asked(filled, settings, "SELECT count(*) AS n FROM sig.lessons", few) == [{"n": ROWS}]
    assert len(asked(filled, settings, "SELECT * FROM sig.lessons LIMIT 20", few)) == 20
    for text in ("SELECT * FROM sig.lessons", "SELECT lesson_id FROM sig.lessons ORDER BY lesson_id LIMIT 21"):
        with pytest.raises(Exception, match="more than 20 rows"):
            asked(filled, settings, text, few)


def test_constants_are_values_whatever_they_say(
    filled: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, statement = list[str](), LedgerTable._statement
    monkeypatch.setattr(
        LedgerTable, "_statement", lambda *words: (made.append(statement(*words).as_string()), statement(*words))[1]
    )
    hostile = "x''; DELETE FROM lessons; --"
    for where in (f"day = '{hostile}'", f"day IN ('{hostile}', '$1')", f"day BETWEEN '{hostile}' AND '%s'"):
        assert asked(filled, settings, f"SELECT * FROM sig.lessons WHERE {where} ORDER BY day LIMIT 3") == []
    assert all("ORDER BY" in text and "LIMIT 3" in text for text in made)
    assert asked(filled, settings, "SELECT count(*) AS n FROM sig.lessons") == [{"n": ROWS}]


def test_a_recursion_or_a_join_of_everything_still_ends(filled: Databases, settings: Settings) -> None:
    bounds = Bounds(seconds=1.0, memory_mb=256)
    for text in (
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
        "SELECT count(*) FROM sig.lessons a, sig.lessons b, sig.lessons c, sig.lessons d WHERE a.body <> d.body",
    ):
        with pytest.raises(Exception, match=r"takes longer than it may|memory|at once"):
            asked(filled, settings, text, bounds)
