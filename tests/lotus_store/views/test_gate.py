"""What may not be asked: a hundred and more hostile questions, with both gates and with the second one alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hostile_queries import ENDLESS, FILES, REFUSED
from small_lake import fill

from lotus.errors import QueryError
from lotus_store.config import Settings
from lotus_store.postgres.queries import query
from lotus_store.views.bounds import Bounds
from lotus_store.views.session import Views

FILE = "a file of somebody"


@pytest.fixture
def views(tmp_path: Path) -> Iterator[Views]:
    """Views of a small lake, for questions of at most half a second."""
    fill(tmp_path / "home" / "lake")
    (tmp_path / FILE).write_text("a,b\n1,2\n")
    with Views(Settings(tmp_path / "home"), Bounds(seconds=0.5, memory_mb=200)) as opened:
        yield opened


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def filled_in(text: str, folder: Path) -> str:
    return text.replace("{file}", str(folder / FILE)).replace("{new}", str(folder / "new"))


@pytest.mark.parametrize("kind", REFUSED)
def test_hostile_questions_are_refused_and_nothing_is_written(views: Views, tmp_path: Path, kind: str) -> None:
    before = files(tmp_path)
    for text in REFUSED[kind]:
        with pytest.raises(QueryError) as refusal:
            views.ask(filled_in(text, tmp_path)).table()
        assert "; expected: " in str(refusal.value), text
        assert "1,2" not in str(refusal.value), text
    assert files(tmp_path) == before
    assert views.ask("SELECT count(*) AS n FROM small").table().to_pylist() == [{"n": 24}]


def test_without_the_first_gate_no_file_is_opened_either(views: Views, tmp_path: Path) -> None:
    """DuckDB's own configuration, asked without `tables_asked`; also the names of the lake's own files are closed."""
    part = next((tmp_path / "home" / "lake" / "small").rglob("*.parquet"))
    before = files(tmp_path)
    for text in (*FILES, f"SELECT * FROM read_parquet('{part}')", f"COPY (SELECT 1) TO '{part}'"):
        if text == "ATTACH ':memory:' AS a" or "json_serialize_plan" in text:
            continue  # the one touches no file, the other answers with the refusal
        connection = views._opened()
        connection.execute(query("views", "settings").decode())
        with pytest.raises(duckdb.Error):
            connection.execute(filled_in(text, tmp_path)).fetchall()
        for change in ("SET enable_external_access = true", "SET memory_limit = '9GB'", "INSTALL httpfs", "LOAD icu_x"):
            with pytest.raises(duckdb.Error):
                connection.execute(change)
        connection.close()
    assert files(tmp_path) == before


@pytest.mark.parametrize("text", ENDLESS)
def test_endless_questions_end(views: Views, text: str) -> None:
    with pytest.raises(QueryError, match=r"longer than it may|Out of Memory"):
        views.ask(text).table()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("SELECT 1 AS a;", [{"a": 1}]),
        ("-- a note\nFROM (VALUES (1), (2)) v(a) ORDER BY a DESC /* and ; one */ ; -- more", [{"a": 2}, {"a": 1}]),
        ("WITH small AS (SELECT 5 AS n) SELECT n FROM SMALL", [{"n": 5}]),
        ("SELECT max(n) AS m FROM main.Small WHERE \"Branch\" = 'main'", [{"m": 11}]),
        ("TABLE small LIMIT 0", []),
        ("SELECT 'DROP TABLE small; COPY x TO ''y''' AS t", [{"t": "DROP TABLE small; COPY x TO 'y'"}]),
        ("SELECT list_transform([1, 2], x -> x + 1) AS l, {'a': 1} AS s", [{"l": [2, 3], "s": {"a": 1}}]),
        ("SELECT n, sum(n) OVER (ORDER BY n) AS s FROM small WHERE branch = 'main' QUALIFY s = 3", [{"n": 2, "s": 3}]),
        ("SELECT unnest(range(2)) AS u", [{"u": 0}, {"u": 1}]),
        ("SELECT '\u202e\x1b[31m' AS t", [{"t": "\u202e\x1b[31m"}]),
    ],
)
def test_honest_questions_are_answered(views: Views, text: str, answer: list[dict[str, Any]]) -> None:
    found = views.ask(text).table().to_pylist()
    assert found == answer


def test_a_wrong_name_leads_to_the_right_one(views: Views) -> None:
    for wrong, right in (("smal", "small"), ("sig.lesson", "sig.lessons"), ("lessons", "sig.lessons")):
        with pytest.raises(QueryError, match=rf"no table {wrong}; expected: one like .*{right}"):
            views.ask(f"SELECT * FROM {wrong}")
    with pytest.raises(QueryError, match=r'"nn" not found.*Candidate bindings: "n"'):
        views.ask("SELECT nn FROM small")
