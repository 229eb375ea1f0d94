"""Logs of bots become events: payoffs are the bots' own, nothing open is taken, what is no such log is told."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import lotus_lab as lab
from lotus.errors import ConfigError, SchemaError

FREQTRADE = (
    "id INTEGER PRIMARY KEY, exchange TEXT, pair TEXT, is_open BOOLEAN, open_rate FLOAT, close_rate FLOAT, "
    "close_profit FLOAT, stake_amount FLOAT, open_date DATETIME, close_date DATETIME, strategy TEXT, enter_tag TEXT, "
    "leverage FLOAT, is_short BOOLEAN"
)


def freqtrade(path: Path, rows: Sequence[Sequence[Any]], columns: str = FREQTRADE) -> Path:
    """Write a database as Freqtrade does."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TABLE trades ({columns})")
        marks = ", ".join("?" * len(columns.split(",")))
        connection.executemany(f"INSERT INTO trades VALUES ({marks})", rows)
        connection.commit()
    return path


def trade(k: int, opened: str, closed: str | None, profit: float | None, **more: Any) -> tuple[Any, ...]:
    """Return a row of it."""
    given = {"pair": "BTC/USDT:USDT", "tag": "dip", "leverage": 3.0, "short": 0, "strategy": "Mean", **more}
    return (
        k, "binance", given["pair"], closed is None, 100.0, 101.0, profit, 50.0, opened, closed, given["strategy"],
        given["tag"], given["leverage"], given["short"],
    )  # fmt: skip


def test_trades_of_freqtrade(tmp_path: Path) -> None:
    rows = [
        trade(1, "2025-01-06 09:30:05.250000", "2025-01-06 10:30:05.000000", 0.03),
        trade(2, "2025-01-11 23:00:00", "2025-01-11 23:10:00.5", -0.01, short=1, leverage=1.0, tag="top"),
        trade(3, "2025-01-12 00:00:00", None, None),
        trade(4, "2025-01-12 01:00:00", "2025-01-12 01:00:00", 0.0, pair="ETH/USDT", leverage=None),
    ]
    made = lab.import_log("freqtrade", freqtrade(tmp_path / "t.sqlite", rows))
    events = made.events.to_pandas()
    assert events["payoff_bps"].tolist() == pytest.approx([100.0, -100.0, 0.0])
    assert events["asset"].tolist() == ["BTC", "BTC", "ETH"]
    assert events["x_side"].tolist() == ["long", "short", "long"]
    assert events["x_tag"].tolist() == ["dip", "top", "dip"]
    assert events["x_weekend"].tolist() == ["week", "weekend", "weekend"]
    assert events["x_hour"].tolist() == [9.0, 23.0, 1.0]
    assert set(events["horizon_s"]) == {3600}, "the longest that one was held"
    assert events["ts"][0] == pd.Timestamp("2025-01-06 09:30:05.25", tz="UTC")
    assert (made.open_trades, events["published"].all()) == (1, True)
    assert "grade D" in made.notes[0]
    assert "1 open trades are left out" in made.notes[1]


def test_what_is_no_database_of_freqtrade(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database, but long enough to be none" * 50)
    empty = freqtrade(tmp_path / "empty", [])
    other = freqtrade(tmp_path / "other", [(1, 2)], "id INTEGER, price FLOAT")
    with closing(sqlite3.connect(tmp_path / "tables")) as connection:
        connection.execute("CREATE TABLE x (id)")
    bad = freqtrade(tmp_path / "bad", [trade(1, "yesterday", "2025-01-01 00:00:00", 0.1)])
    back = freqtrade(tmp_path / "back", [trade(1, "2025-01-02 00:00:00", "2025-01-01 00:00:00", 0.1)])
    for path, words in (
        (tmp_path / "text", "cannot be read"), (empty, "no closed trade"), (other, "have no close_date"),
        (tmp_path / "tables", "no such table: trades"), (bad, "time 'yesterday'"), (back, "closes before it opens"),
    ):  # fmt: skip
        with pytest.raises(SchemaError, match=words):
            lab.import_log("freqtrade", path)
    with pytest.raises(ConfigError, match="is not there"):
        lab.import_log("freqtrade", tmp_path / "none")
    with pytest.raises(ConfigError, match="a log of kind 'ftx'"):
        lab.import_log("ftx", empty)


def positions(k: int = 4) -> pa.Table:
    """Return closed positions in the fields of NautilusTrader."""
    start = 1_736_121_600_000_000_000 + np.arange(k) * 3_600_000_000_000
    return pa.table({
        "position_id": [f"P-{i}" for i in range(k)],
        "strategy_id": pa.array(["EMACross-000"] * k).dictionary_encode(),
        "instrument_id": ["BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"] * (k // 2),
        "entry": ["BUY", "SELL"] * (k // 2),
        "avg_px_open": [100.0] * k,
        "avg_px_close": [100.0 + 0.1 * i * (-1) ** i for i in range(k)],
        "ts_opened": pa.array(start, pa.uint64()),
        "ts_closed": pa.array(start + 90_000_000_000, pa.uint64()),
    })  # fmt: skip


def test_closed_positions_of_nautilus(tmp_path: Path) -> None:
    (tmp_path / "data" / "position_closed").mkdir(parents=True)
    (tmp_path / "backtest" / "run").mkdir(parents=True)
    pq.write_table(positions(), tmp_path / "data" / "position_closed" / "part-0.parquet")
    pq.write_table(positions(), tmp_path / "data" / "quotes.parquet")
    with pa.ipc.new_stream(tmp_path / "backtest" / "run" / "position_closed_1.feather", positions().schema) as stream:
        stream.write_table(positions())
    made = lab.import_log("nautilus", tmp_path)
    events = made.events.to_pandas()
    assert len(events) == 4, "a position that stands in both is one"
    assert events["payoff_bps"].tolist() == pytest.approx([0.0, 10.0, 20.0, 30.0])
    assert events["x_side"].tolist() == ["long", "short"] * 2
    assert events["asset"][0] == "BTCUSDT-PERP"
    assert set(events["horizon_s"]) == {90}
    assert any("without commissions" in note for note in made.notes)
    assert any("left out: x_weekend" in note for note in made.notes)
    with pytest.raises(SchemaError, match="no closed position"):
        lab.import_log("nautilus", tmp_path / "data" / "quotes.parquet")
    (tmp_path / "backtest" / "run" / "position_closed_2.feather").write_bytes(b"torn")
    with pytest.raises(SchemaError, match=r"position_closed_2\.feather cannot be read"):
        lab.import_log("nautilus", tmp_path)


def test_round_trips_of_a_csv(tmp_path: Path) -> None:
    file = tmp_path / "trades.csv"
    head = "opened,closed,asset,strategy,side,entry,exit,fee_bps,x_vol,x_kind\n"
    file.write_text(
        head + "2025-01-06T09:30:00Z,2025-01-06T09:40:00Z,BTC,s,long,100,101,9,1.5,a\n"
        "1736156000000,1736156100000,ETH,s,sell,50,49,,,b\n2025-01-06T11:00:00+01:00,,BTC,s,buy,1,1,0,1,a\n"
    )
    made = lab.import_log("csv", file)
    assert made.events["payoff_bps"].to_pylist() == pytest.approx([91.0, 200.0])
    assert made.events["x_vol"].to_pylist() == [1.5, None]
    assert made.open_trades == 1
    for row, words in (
        ("2025-01-06T09:30:00,2025-01-06T09:40:00Z,BTC,s,long,100,101,0,1,a", "has no zone"),
        ("2025-01-06T09:30:00Z,2025-01-06T09:40:00Z,BTC,s,up,100,101,0,1,a", "side 'up'"),
        ("2025-01-06T09:30:00Z,2025-01-06T09:40:00Z,BTC,s,long,0,101,0,1,a", "prices above 0"),
        ("2025-01-06T09:30:00Z,2025-01-06T09:40:00Z,BTC,s,long,1e400,101,0,1,a", "a finite number"),
    ):
        file.write_text(head + row + "\n")
        with pytest.raises(SchemaError, match=words):
            lab.import_log("csv", file)
    file.write_text("a,b\n1,2\n")
    with pytest.raises(SchemaError, match="has no column opened"):
        lab.import_log("csv", file)
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SchemaError, match="cannot be read"):
        lab.import_log("csv", file)


def test_an_imported_log_teaches_grade_d(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(3), []
    for k in range(3000):
        opened = pd.Timestamp("2025-01-06") + pd.Timedelta(minutes=7 * k)
        short = int(rng.random() < 0.5)
        profit = 0.001 * short + 0.001 * rng.standard_normal()
        closed = opened + pd.Timedelta(minutes=5)
        rows.append(trade(k + 1, str(opened), str(closed), profit, short=short, leverage=1.0))
    made = lab.import_log("freqtrade", freqtrade(tmp_path / "t.sqlite", rows))
    report = lab.learn(made.events)
    assert report.lessons.empty
    assert set(report.refused["grade"]) == {"D"}
    assert report.refused["rule"].dropna().str.contains("x_side").any()
    assert report.refused["reason"].str.contains("no propensity was logged").all()
