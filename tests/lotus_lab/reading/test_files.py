"""`lotus learn` and files as people write them (lotus_lab/reading/files.py): read the same, or explained by place."""

import gzip
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from learn_runs import facts_of, refused

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lotus_own_signals"))
from own_world import arrow, own_world, rows_of, write_parquet

World = dict[str, np.ndarray[Any, Any]]


def csv_lines(world: World) -> list[str]:
    """Return header and rows of a small file."""
    names = list(world)
    rows = zip(*(world[n].tolist() for n in names), strict=True)
    return [",".join(names), *(",".join("" if x != x else str(x) for x in row) for row in rows)]


def small() -> World:
    """Return a small world whose times are texts."""
    world: World = own_world(seed=5, days=2, n=20)
    texts = [str(np.datetime64(int(t), "us")) + "Z" for t in world["ts"]]
    return {**world, "ts": np.array(texts, dtype=object)}


def cell(column: str, row: int, value: str) -> Callable[[list[str]], list[str]]:
    """Return an edit that writes a cell."""

    def edit(lines: list[str]) -> list[str]:
        at = lines[0].split(",").index(column)
        cells = lines[row].split(",")
        cells[at] = value
        return [*lines[:row], ",".join(cells), *lines[row + 1 :]]

    return edit


def renamed(old: str, new: str) -> Callable[[list[str]], list[str]]:
    """Return an edit that renames a column."""
    return lambda lines: [lines[0].replace(old, new, 1), *lines[1:]]


def every(column: str, made: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    """Return an edit that writes all cells of a column."""

    def edit(lines: list[str]) -> list[str]:
        for row in range(1, len(lines)):
            value = lines[row].split(",")[lines[0].split(",").index(column)]
            lines = cell(column, row, made(value))(lines)
        return lines

    return edit


WRONG: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "a column missing": (renamed("asset", "coin"), "a.csv has no column asset"),
    "a column misspelled": (renamed("propensity", "propensty"), "a column propensty; expected: propensity"),
    "other names": (
        renamed("ts,asset", "time,coin"),
        "no column ts, asset; .*columns: {ts: its name in the file, asset",
    ),
    "a required one misspelled": (renamed("horizon_s", "horizon"), "no column horizon_s.*'horizon' misspelled"),
    "a column twice": (renamed("x_vol", "x_flow"), "column x_flow 2 times"),
    "no feature": (lambda lines: [re.sub("x_", "y_", lines[0]), *lines[1:]], r"no column x_\*"),
    "no row": (lambda lines: lines[:1], "a.csv has no row"),
    "a time that is none": (cell("ts", 3, "yesterday"), "a.csv, column ts, row 3: 'yesterday'"),
    "a naive time": (cell("ts", 4, "2025-01-06T01:00:00"), "row 4: 2025-01-06T01:00:00 has no time zone"),
    "no time": (cell("ts", 2, ""), "column ts, row 2: null"),
    "no asset": (cell("asset", 7, ""), "column asset, row 7: null"),
    "a broken horizon": (cell("horizon_s", 5, "2.5"), "column horizon_s, row 5: 2.5; expected: whole seconds"),
    "a horizon of text": (cell("horizon_s", 5, "5m"), "column horizon_s, row 5: '5m'"),
    "published in words": (cell("published", 6, "perhaps"), "column published, row 6: 'perhaps'"),
    "a propensity of text": (cell("propensity", 8, "high"), "column propensity, row 8: 'high'"),
    "a propensity in per cent": (cell("propensity", 9, "31"), r"propensity, row 9: 31\.0.*per cent"),
    "a payoff of text": (cell("payoff_bps", 9, "n.a."), "column payoff_bps, row 9: 'n.a.'.*mixed types"),
    "mixed types in a feature": (cell("x_flow", 12, "up"), "column x_flow, row 12: 'up' among numbers.*mixed types"),
    "an infinite feature": (cell("x_flow", 12, "inf"), "column x_flow, row 12: inf"),
    "a row too short": (lambda lines: [*lines[:5], "1,2", *lines[5:]], "a.csv, row 5: 2 cells; expected: 12"),
    "a row too long": (lambda lines: [*lines[:7], lines[7] + ",9", *lines[8:]], "a.csv, row 7: 13 cells.*comma inside"),
    "a quote not closed": (cell("asset", 6, '"BTC'), "a.csv, .*a quote not closed"),
    "a line break in a cell": (cell("asset", 6, '"B\nTC"'), r"column asset, row 6: a line break inside 'B\\nTC'"),
    "a second header": (lambda lines: [*lines[:9], lines[0], *lines[9:]], "column ts, row 9: 'ts'.*a second header"),
    "no header": (lambda lines: lines[1:], "a.csv has no column ts.*a header is missing"),
    "semicolons": (lambda lines: [x.replace(",", ";") for x in lines], "no column ts.*divided by semicolons"),
    "tabs": (lambda lines: [x.replace(",", "\t") for x in lines], "no column ts.*divided by tabs"),
    "capitals": (renamed("ts,", "TS,"), "no column ts.*'TS' misspelled"),
    "seconds": (cell("ts", 1, "1736121600"), "column ts, row 1: '1736121600'.*cause: seconds"),
    "microseconds": (cell("ts", 1, "1736121600000000"), "column ts, row 1: '1736121600000000'.*microseconds"),
    "milliseconds of a spreadsheet": (
        cell("ts", 4, "1.73612E+12"),
        "ts, row 4: '1.73612E.*a spreadsheet rounds",
    ),
    "a zone by name": (cell("ts", 4, "2025-01-06T01:00:00 EST"), "column ts, row 4: .*a zone by its name"),
    "a time of the far future": (cell("ts", 4, "2525-01-06T01:00:00Z"), "column ts, row 4: 2525.*from 2000 to 2100"),
    "a date the other way": (cell("ts", 4, "06.01.2025 10:00"), "column ts, row 4: .*another order"),
    "spaces around a name": (cell("asset", 8, "BTC "), "column asset, row 8: 'BTC '.*'BTC' with spaces"),
    "a sign that is not seen": (cell("detector_id", 8, "d\x00"), r"column detector_id, row 8: 'd\\x00'.*broken export"),
    "a decimal comma": (cell("payoff_bps", 9, '"-2,75"'), "column payoff_bps, row 9: '-2,75'.*write a decimal point"),
    "decimal commas in a feature": (
        lambda lines: every("x_flow", lambda x: f'"{x.replace(".", ",")}"')(lines),
        "column x_flow, row 1: '.*write a decimal point",
    ),
    "thousands": (cell("horizon_s", 3, '"1,300"'), "column horizon_s, row 3: '1,300'.*nothing between thousands"),
    "per cent signs": (cell("propensity", 3, "31%"), "column propensity, row 3: '31%'.*write the share"),
    "an error of a spreadsheet": (cell("x_flow", 3, "#DIV/0!"), "column x_flow, row 3: .*error of a spreadsheet"),
    "a dash for null": (cell("x_flow", 3, "-"), "column x_flow, row 3: '-'.*leave the cell empty"),
    "a payoff in dollars": (cell("payoff_bps", 9, "2e9"), r"column payoff_bps, row 9: 2000000000\.0.*a sum of money"),
    "a horizon beyond all": (cell("horizon_s", 9, "9" * 20), "column horizon_s, row 9: 1e.20; expected: whole seconds"),
    "a row twice": (lambda lines: [*lines, lines[1]], r"column ts, row 41: the same \(ts, asset"),
    "two horizons": (
        lambda lines: [*lines, lines[1].replace(",300,", ",900,", 1)],
        "2 horizons on one draw: 300 s, 900 s; expected: decision_horizon_s",
    ),
    "too few days": (lambda lines: lines, "2 days of windows that could be published; expected: 11 or more"),
}


@pytest.mark.parametrize("which", WRONG)
def test_a_wrong_file_is_explained(which: str, tmp_path: Path) -> None:
    edit, said = WRONG[which]
    world = small()
    world = {name: values[: 41 - 1] for name, values in world.items()}
    (tmp_path / "a.csv").write_text("\n".join(edit(csv_lines(world))) + "\n")
    text = refused(tmp_path, "--out", tmp_path / "out")
    assert re.search(said, text), text
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_and_unreadable_files_are_explained(tmp_path: Path) -> None:
    assert "no file in" in refused(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing more")
    assert "a.parquet cannot be read" in refused(tmp_path)
    (tmp_path / "a.parquet").unlink()
    (tmp_path / "a.csv").write_text("")
    assert "a.csv is empty" in refused(tmp_path)
    (tmp_path / "a.csv").write_text("\n".join(csv_lines(small())), "utf-16")
    assert "a.csv is UTF-16; expected: UTF-8 text" in refused(tmp_path)
    lines = cell("asset", 4, "Zürich")(csv_lines(small()))
    (tmp_path / "a.csv").write_text("\n".join(lines), "latin-1")
    assert "a.csv, row 4: byte 0xfc is not UTF-8" in refused(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"PK\x03\x04 a workbook")
    assert "no text but a packed file" in refused(tmp_path)
    (tmp_path / "a.csv").unlink()
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress("\n".join(csv_lines(small())).encode())[:200])
    assert "b.csv.gz cannot be read" in refused(tmp_path)
    (tmp_path / "b.csv.gz").unlink()
    (tmp_path / "c.txt").write_text("ts")
    assert "no file in" in refused(tmp_path)
    assert "c.txt" in refused(tmp_path)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, Any]]:
    """Return the lines of a file of twelve days and what it tells."""
    world = own_world(seed=1, effect=6.0, days=13, n=60)
    texts = [str(np.datetime64(int(t), "us")) + "Z" for t in world["ts"]]
    lines = csv_lines({**world, "ts": np.array(texts, dtype=object)})
    folder = tmp_path_factory.mktemp("plain")
    (folder / "a.csv").write_text("\n".join(lines) + "\n")
    return lines, facts_of(folder)


def by_day(lines: list[str]) -> dict[str, bytes]:
    """Return the lines as one file a day."""
    days = sorted({line[:10] for line in lines[1:]})
    return {f"{d}.csv": "\n".join([lines[0], *(x for x in lines[1:] if x[:10] == d)]).encode() for d in days}


WRITTEN: dict[str, Callable[[list[str]], dict[str, bytes]]] = {
    "a byte order mark": lambda lines: {"a.csv": b"\xef\xbb\xbf" + "\n".join(lines).encode()},
    "lines of Windows": lambda lines: {"a.csv": "\r\n".join(lines).encode() + b"\r\n\r\n"},
    "packed, in capitals": lambda lines: {"A.CSV.GZ": gzip.compress("\n".join(lines).encode())},
    "capitals and hidden files": lambda lines: {"A.CSV": "\n".join(lines).encode(), "._A.csv": b"\x00\x05"},
    "one file a day": by_day,
    "offsets": lambda lines: {"a.csv": "\n".join(every("ts", later)(lines)).encode()},
    "spaces around numbers": lambda lines: {
        "a.csv": "\n".join(every("payoff_bps", lambda x: f" {x}" if x else x)(lines)).encode()
    },
    "flags as numbers": lambda lines: {
        "a.csv": "\n".join(every("published", lambda x: str(int(x == "True")))(lines)).encode()
    },
}


def later(text: str) -> str:
    """Return the same instant two hours east."""
    return str(np.datetime64(text[:-1]) + np.timedelta64(2, "h")) + "+02:00"


@pytest.mark.parametrize("which", WRITTEN)
def test_files_written_otherwise_tell_the_same(
    which: str, plain: tuple[list[str], dict[str, Any]], tmp_path: Path
) -> None:
    lines, told = plain
    for name, data in WRITTEN[which](lines).items():
        (tmp_path / name).write_bytes(data)
    assert {**facts_of(tmp_path), "files": []} == {**told, "files": []}


def test_only_what_was_published_is_refused(plain: tuple[list[str], dict[str, Any]], tmp_path: Path) -> None:
    lines, _ = plain
    (tmp_path / "a.csv").write_text("\n".join([lines[0], *(x for x in lines[1:] if ",True," in x)]))
    assert "only what was published was exported" in refused(tmp_path)


def test_flags_and_texts_of_features_are_the_same_from_both_kinds(tmp_path: Path) -> None:
    world = own_world(seed=3, days=13, n=40)
    flags = world["x_flow"] > 0
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
    write_parquet({**world, "x_flag": flags}, one / "a.parquet")
    texts = [str(np.datetime64(int(t), "us")) + "Z" for t in world["ts"]]
    lines = csv_lines({**world, "ts": np.array(texts, dtype=object), "x_flag": flags})
    (two / "a.csv").write_text("\n".join(lines))
    assert {**facts_of(one), "files": []} == {**facts_of(two), "files": []}


def parquet_with(name: str, values: pa.Array) -> Callable[[pa.Table], pa.Table]:
    """Return an edit that replaces a column."""
    return lambda t: t.set_column(t.column_names.index(name), name, values)


N = 40
WRONG_PARQUET: dict[str, tuple[str, pa.Array, str]] = {
    "naive stamps": ("ts", pa.array([0] * N, pa.timestamp("us")), "has no time zone"),
    "seconds": ("ts", pa.array([1_736_121_600] * N), "row 1: 1736121600.*likely cause: seconds"),
    "dates": ("ts", pa.array([20000] * N, pa.date32()), r"column ts, row 1: .*date32"),
    "lists": ("x_flow", pa.array([[1.0]] * N), r"column x_flow, row 1: .*list"),
    "a null stamp": ("ts", pa.array([None] * N, pa.timestamp("us", "UTC")), "column ts, row 1: null"),
    "payoffs of text": ("payoff_bps", pa.array(["x"] * N), "column payoff_bps, row 1: 'x'"),
    "names that are numbers with a fraction": ("asset", pa.array([1.5] * N), "column asset, row 1: 1.5"),
}


@pytest.mark.parametrize("which", WRONG_PARQUET)
def test_a_wrong_parquet_file_is_explained(which: str, tmp_path: Path) -> None:
    name, values, said = WRONG_PARQUET[which]
    table = arrow(rows_of(own_world(seed=5, days=1, n=20), slice(0, N)))
    pq.write_table(parquet_with(name, values)(table), tmp_path / "a.parquet")
    text = refused(tmp_path)
    assert re.search(said, text), text
