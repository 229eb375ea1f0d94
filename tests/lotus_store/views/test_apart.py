"""Questions in processes of their own (also lotus_store/views/bounds.py): rows, refusals, bounds, kills, threads."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hostile_queries import UNINTERRUPTED
from small_lake import fill

from lotus.errors import LotusError, QueryError
from lotus_store.config import Settings
from lotus_store.views import apart
from lotus_store.views.apart import Asker
from lotus_store.views.bounds import Bounds
from lotus_store.views.session import Page

pytestmark = pytest.mark.process("every question starts a Python of its own")


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    """An asker of a small lake, for questions of a second."""
    fill(tmp_path / "lake")
    with Asker(Settings(tmp_path), Bounds(seconds=1.0, memory_mb=100)) as opened:
        yield opened


def test_rows_and_refusals_come_through(asker: Asker) -> None:
    given = {"branch": "main", "low": 3, "none": None, "flag": True}
    text = "SELECT n, x, word FROM small WHERE branch = $branch AND n > $low AND $flag AND $none IS NULL"
    rows = asker.ask(text, given, Page(("-n",), 2))
    assert rows.more
    assert rows.table.to_pylist() == [{"n": 11, "x": None, "word": "w11"}, {"n": 10, "x": 2.5, "word": "w10"}]
    assert not asker.ask("SELECT 1 AS a WHERE false").more
    for text in (
        "DROP TABLE small",
        "SELECT * FROM nosuch",
        "SELECT nn FROM small",
        "SELECT '\u202e' FROM '/etc/passwd'",
    ):
        with pytest.raises(QueryError, match="; expected: "):
            asker.ask(text)
    with pytest.raises(QueryError, match="a parameter cannot be handed over"):
        asker.ask(text, {"a": object()})


@pytest.mark.parametrize("text", UNINTERRUPTED)
def test_nothing_outlives_its_bounds(asker: Asker, text: str) -> None:
    began = time.monotonic()
    with pytest.raises(QueryError, match=r"not answered within 1 s|Out of Memory|ended with|longer than it may"):
        asker.ask(text)
    assert time.monotonic() - began < 12
    assert asker.ask("SELECT 2 AS a").table.to_pylist() == [{"a": 2}]


def test_many_threads_may_ask(asker: Asker) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: asker.ask(f"SELECT {k} AS k").table["k"][0].as_py(), range(8)))
    assert found == list(range(8))


def test_a_process_that_died_waiting_is_explained_and_replaced(asker: Asker) -> None:
    assert asker._ready is not None
    asker._ready.kill()
    asker._ready.wait()
    with pytest.raises(QueryError, match="ended with -9"):
        asker.ask("SELECT 1")
    assert asker.ask("SELECT 1 AS a").table.num_rows == 1


def test_damage_of_the_lake_is_told(asker: Asker, tmp_path: Path) -> None:
    for part in (tmp_path / "lake" / "small").rglob("*.parquet"):
        part.write_bytes(b"x")
    with pytest.raises(LotusError, match="damaged on disk"):
        asker.ask("SELECT * FROM small")


def test_nothing_runs_on_after_the_asker(tmp_path: Path) -> None:
    fill(tmp_path / "lake")
    with Asker(Settings(tmp_path)) as opened:
        waiting = opened._ready
        assert waiting is not None
    assert waiting.poll() is not None
    idle = apart._started()
    out, errors = idle.communicate(b"", timeout=30)
    assert (idle.returncode, out, errors) == (0, b"", b"")
