"""Answers: pages, orders, parameters, many at once, and the memory of a long one."""

import resource
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from small_lake import SMALL, fill

from lotus.errors import QueryError
from lotus_store.config import Settings
from lotus_store.lake import Lake
from lotus_store.views.bounds import Bounds
from lotus_store.views.session import Page, Views

NUMBERS = "SELECT n, word FROM small WHERE branch = $branch -- all\n;"


@pytest.fixture
def views(tmp_path: Path) -> Iterator[Views]:
    """Views of a small lake."""
    fill(tmp_path / "lake")
    with Views(Settings(tmp_path)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("page", "numbers", "more"),
    [
        (Page(("n",)), list(range(12)), False),
        (Page(("-n",), 3), [11, 10, 9], True),
        (Page(("n",), 5, 5), [5, 6, 7, 8, 9], True),
        (Page(("n",), 5, 7), [7, 8, 9, 10, 11], False),
        (Page(("n",), 5, 12), [], False),
        (Page((), 12), list(range(12)), False),
        (Page((), 11), list(range(11)), True),
        (Page((), None, 9), [9, 10, 11], False),
    ],
)
def test_a_page_holds_its_rows_and_tells_of_more(views: Views, page: Page, numbers: list[int], more: bool) -> None:
    answer = views.ask(NUMBERS, {"branch": "main"}, page)
    assert answer.table()["n"].to_pylist() == numbers
    assert answer.more == more


def test_pages_of_many_batches_join_without_a_seam(views: Views) -> None:
    text = "SELECT range AS n FROM range(35000)"
    pages = [views.ask(text, page=Page((), 9999, at)).table()["n"].to_pylist() for at in range(0, 35000, 9999)]
    assert list(chain.from_iterable(pages)) == list(range(35000))


def test_orders_are_names_and_nothing_else(views: Views) -> None:
    for order in ("nosuch", "n; DELETE FROM small", 'n" DESC --', "-", "", "$asked"):
        with pytest.raises(QueryError, match="expected: "):
            views.ask(NUMBERS, {"branch": "main"}, Page((order,)))


def test_parameters_are_values(views: Views) -> None:
    hostile = "main' OR 1=1; DROP TABLE small --"
    text = "SELECT $a AS a, $b + 1 AS b, (SELECT count(*) FROM small WHERE branch = $a) AS n"
    assert views.ask(text, {"a": hostile, "b": 1}).table().to_pylist() == [{"a": hostile, "b": 2, "n": 0}]
    assert views.ask(NUMBERS, {"branch": "main", "other": 1}).table().num_rows == 12
    with pytest.raises(QueryError, match=r"branch"):
        views.ask(NUMBERS, {"other": 1})


def test_questions_of_many_threads_do_not_meet(views: Views) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda k: views.ask(f"SELECT {k} + sum(n) AS n FROM small").table()["n"][0].as_py(), range(40))
        )
    assert found == [132 + k for k in range(40)]


def test_an_answer_can_be_left(views: Views) -> None:
    answer = views.ask("SELECT * FROM range(100000000)")
    assert len(next(answer.batches())) > 0
    answer.close()
    views.ask("SELECT * FROM small").close()


def test_a_long_answer_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Rows of 30 parts, 600 MB in all, through a DuckDB of 100 MB."""
    n = np.arange(200_000)
    rows = {"n": n, "x": n * 1.0, "word": np.full(n.size, "x" * 64, dtype=object), "flag": n > 0}
    Lake(tmp_path / "lake").write(SMALL, "main", "2026-03-01", rows)
    folder = tmp_path / "lake" / "small" / "branch=main"
    for day in range(2, 31):
        shutil.copytree(folder / "day=2026-03-01", folder / f"day=2026-03-{day:02}")
    with Views(Settings(tmp_path), Bounds(memory_mb=100, seconds=60)) as views:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert sum(len(batch) for batch in views.ask("SELECT * FROM small").batches()) == 30 * n.size
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 350 * 1024
