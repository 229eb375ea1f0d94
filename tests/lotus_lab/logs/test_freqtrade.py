"""Freqtrade's logs as they are found: results of backtests, pairs with odd names, databases that were cut or grew."""

import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import lotus_lab as lab
from lotus.errors import SchemaError

COLUMNS = "id, pair, is_open, close_profit, open_date, close_date, strategy, enter_tag, leverage, is_short"
OPENED, CLOSED = "2025-01-06 09:30:00", "2025-01-06 10:30:00"


def database(path: Path, pairs: list[Any], columns: str = COLUMNS) -> Path:
    """Write a database of one closed trade of each pair, an hour apart."""
    names = columns.split(", ")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE trades ({columns})")
        for k, pair in enumerate(pairs):
            row = dict(zip(COLUMNS.split(", "), (k, pair, 0, 0.01, OPENED, CLOSED, "S", None, 1.0, 0), strict=True))
            connection.execute(
                f"INSERT INTO trades VALUES ({', '.join('?' * len(names))})", [row.get(x) for x in names]
            )
        connection.commit()
    return path


def result(folder: Path, trades: Any, name: str = "backtest-result-1") -> Path:
    """Write a result of a backtest as Freqtrade packs it."""
    with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
        archive.writestr(f"{name}.json", json.dumps({"strategy": {"S": {"trades": trades}}, "strategy_comparison": []}))
        archive.writestr(f"{name}_config.json", "{}")
        archive.writestr(f"{name}_S.py", "import os")
    return folder / f"{name}.zip"


def packed(k: int, pair: str = "BTC/USDT:USDT", **more: Any) -> dict[str, Any]:
    """Return a trade of a result."""
    return {
        "pair": pair, "open_date": f"2025-01-06 {k:02d}:00:00+00:00", "close_date": f"2025-01-06 {k:02d}:30:00+00:00",
        "profit_ratio": 0.002 * k, "is_open": False, "enter_tag": "dip", "leverage": 2.0, "is_short": k % 2 == 1,
        **more,
    }  # fmt: skip


def test_a_result_of_a_backtest_is_read_in_its_archive_renamed_and_unpacked(tmp_path: Path) -> None:
    path = result(tmp_path, [packed(k) for k in range(4)])
    renamed = tmp_path / "mine.zip"
    renamed.write_bytes(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        archive.extract("backtest-result-1.json", tmp_path)
    for log in (path, renamed, tmp_path / "backtest-result-1.json"):
        events = lab.import_log("freqtrade", log).events.to_pandas()
        assert events["payoff_bps"].tolist() == pytest.approx([0.0, 10.0, 20.0, 30.0])
        assert events["x_side"].tolist() == ["long", "short"] * 2
        assert set(events["detector_id"]) == {"S"}
        assert set(events["horizon_s"]) == {1800}


def test_one_asset_of_several_pairs_has_the_names_of_its_pairs(tmp_path: Path) -> None:
    pairs = ["BTC/USDT", "BTC/USDC:USDC", "1000PEPE/USDT:USDT", "ETH", "κ/USDT", "BTC/USDT:USDT-250328", "A B/C"]
    events = lab.import_log("freqtrade", database(tmp_path / "t", pairs)).events
    assert events["asset"].to_pylist() == [
        "BTC/USDT", "BTC/USDC:USDC", "1000PEPE", "ETH", "κ", "BTC/USDT:USDT-250328", "A B",
    ]  # fmt: skip


def test_old_databases_and_those_without_what_is_needed(tmp_path: Path) -> None:
    old = "id, pair, is_open, close_profit, open_date, close_date"
    events = lab.import_log("freqtrade", database(tmp_path / "old", ["BTC/USDT"] * 2, old)).events
    assert events["detector_id"].to_pylist() == ["freqtrade"] * 2
    for name in old.split(", ")[1:]:
        columns = ", ".join(x for x in COLUMNS.split(", ") if x != name)
        with pytest.raises(SchemaError, match=f"have no {name}"):
            lab.import_log("freqtrade", database(tmp_path / name, [], columns))


@pytest.mark.parametrize(
    "wrong", [{"profit_ratio": "much"}, {"leverage": "x"}, {"profit_ratio": 1e400}, {"open_date": None}, {"pair": 5}]
)
def test_a_trade_that_cannot_be_is_named(wrong: dict[str, Any], tmp_path: Path) -> None:
    path = result(tmp_path, [packed(0), packed(1, **wrong)])
    if "pair" in wrong:
        assert lab.import_log("freqtrade", path).events["asset"].to_pylist() == ["BTC", "5"]
    else:
        with pytest.raises(SchemaError, match="trade 2"):
            lab.import_log("freqtrade", path)


def test_what_was_cut_short_is_refused_wherever_it_was_cut(tmp_path: Path) -> None:
    pairs = [f"COIN{k}/USDT" for k in range(3000)]
    made = database(tmp_path / "db", pairs), result(tmp_path, [packed(k % 24, p) for k, p in enumerate(pairs)])
    for whole in made:
        data, cut = whole.read_bytes(), tmp_path / "cut"
        assert len(lab.import_log("freqtrade", whole).events) == len(pairs)
        n = len(data)
        for size in (0, 1, 15, 16, 17, 90, 100, 4095, 4096, n // 3, n // 2, n - 4097, n - 4096, n - 22, n - 1):
            cut.write_bytes(data[:size])
            with pytest.raises(SchemaError, match="cut short"):
                lab.import_log("freqtrade", cut)


@pytest.mark.parametrize("text", ["[]", "{}", '{"strategy": []}', '{"strategy": {"S": 1}}', "x"])
def test_other_files_are_no_result(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(SchemaError, match="cannot be read"):
        lab.import_log("freqtrade", tmp_path / "r.json")
    with pytest.raises(SchemaError, match="is a folder"):
        lab.import_log("freqtrade", tmp_path)
    with pytest.raises(SchemaError, match="trade 1 is int"):
        lab.import_log("freqtrade", result(tmp_path, [1]))
