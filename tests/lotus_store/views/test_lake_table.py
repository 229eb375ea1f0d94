"""Tables of the lake in SQL: steps of the path as columns, only the files that are needed, unlike columns, damage."""

from pathlib import Path
from typing import Any

import pyarrow.fs as pafs
import pytest
from small_lake import DAYS, ODD, fill

from lotus.errors import LakeError
from lotus_store.config import Settings
from lotus_store.views import lake_table
from lotus_store.views.session import Views


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a small lake and no ledger."""
    fill(tmp_path / "lake")
    return tmp_path


def rows(home: Path, text: str, **parameters: Any) -> list[tuple[Any, ...]]:
    with Views(Settings(home)) as views:
        return [tuple(row.values()) for row in views.ask(text, parameters).table().to_pylist()]


def test_rows_are_those_of_the_parts(home: Path) -> None:
    text = "SELECT n, x, word, flag, y FROM small WHERE branch = $b AND day = $d ORDER BY n"
    assert rows(home, text, b="main", d=DAYS[1]) == [
        (4, 1.0, "w4", False, None),
        (5, None, "w5", False, None),
        (6, 1.5, "w6", True, None),
        (7, None, "w7", False, None),
    ]
    assert rows(home, text, b=ODD, d=DAYS[0])[0] == (0, 0.0, "w0", True, 0.5)
    assert rows(home, "SELECT avg(x), count(x), count(*) FROM small") == [(1.25, 12, 24)]


def test_names_of_branches_and_symbols_are_those_given(home: Path) -> None:
    assert rows(home, "SELECT DISTINCT branch FROM small ORDER BY 1") == [(ODD,), ("main",)]
    assert rows(home, "SELECT symbol, count(*) FROM split GROUP BY 1 ORDER BY 1") == [("BTC", 12), ("PURR/USDC", 12)]
    assert rows(home, "SELECT count(*) FROM split WHERE symbol = 'PURR/USDC' AND day > $d", d=DAYS[0]) == [(8,)]


@pytest.mark.parametrize(
    ("where", "opened"),
    [
        ("branch = 'main' AND day = '2026-01-06'", 1),
        ("branch = 'main' AND day BETWEEN '2026-01-06' AND '2026-01-31'", 2),
        ("day >= '2026-01-07'", 2),
        ("branch = 'nosuch'", 0),
        ("(branch = 'main' OR branch = 'nosuch') AND day = '2026-01-06'", 2),
        ("branch IN ('main', 'nosuch') AND day IN ('2026-01-06', '2026-01-08')", 1),
        ("n > 100", 6),
        ("branch = day", 6),
        ("lower(branch) = 'main' AND day LIKE '2026-01-06%'", 2),
    ],
)
def test_a_question_opens_the_parts_of_its_branch_and_days(
    home: Path, monkeypatch: pytest.MonkeyPatch, where: str, opened: int
) -> None:
    made: list[str] = []
    fragment = lake_table._fragment
    monkeypatch.setattr(
        lake_table, "_fragment", lambda folder, place: made.append(folder.path) or fragment(folder, place)
    )
    everything = rows(home, "SELECT branch, day, n FROM small")
    made.clear()
    found = rows(home, f"SELECT branch, day, n FROM small WHERE {where}")
    assert len(made) == opened
    assert set(found) <= set(everything)
    assert len(found) == len(set(found))


def test_later_columns_are_zero_where_they_are_not_stored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa

    from lotus_store.views import session

    monkeypatch.setitem(session.LATER, "small", {"y": pa.float64(), "z": pa.float64()})
    assert rows(home, "SELECT sum(y), count(*) FROM small WHERE branch = 'main' AND y = 0 AND z = 0") == [(0, 12)]
    assert rows(home, "SELECT count(*) FROM small WHERE y > 0 AND z = 0") == [(12,)]


def test_every_later_column_of_the_project_is_listed() -> None:
    """Searches the sources, so that a new one is not forgotten."""
    import lotus
    from lotus_store.views.session import LATER

    sources = [path for path in Path(lotus.__file__).parent.rglob("*.py") if "later=True" in path.read_text()]
    assert [path.name for path in sources] == ["signal_spec.py"]
    assert {name: list(columns) for name, columns in LATER.items()} == {"signal_events": ["gate"]}


def test_damage_is_said_and_other_days_can_be_asked(home: Path) -> None:
    part = home / "lake" / "small" / "branch=main" / f"day={DAYS[0]}" / "part.parquet"
    whole = part.read_bytes()
    for bad in (whole[:-20], b"", whole[:40] + bytes(60) + whole[100:], b"nothing"):
        part.write_bytes(bad)
        with pytest.raises(LakeError, match=r"part of the lake cannot be read.*damaged on disk"):
            rows(home, "SELECT sum(n), max(word), max(x) FROM small WHERE branch = 'main'")
        assert rows(home, "SELECT count(*) FROM small WHERE branch = 'main' AND day > '2026-01-05'") == [(8,)]


def test_a_damaged_newest_part_is_named(home: Path) -> None:
    (home / "lake" / "small" / "branch=main" / f"day={DAYS[2]}" / "part.parquet").write_bytes(b"x")
    with pytest.raises(LakeError, match=r"small/branch=main/day=2026-01-07.*damaged on disk"):
        rows(home, "SELECT * FROM small")


def test_what_is_no_table_is_none(home: Path) -> None:
    (home / "lake" / "empty" / "branch=x").mkdir(parents=True)
    (home / "lake" / "file").write_text("")
    assert not lake_table.has_parts(pafs.LocalFileSystem(), str(home / "lake" / "no_table"))
    with Views(Settings(home)) as views:
        assert [str(t) for t in views.tables() if not t.schema] == ["small", "split"]
