"""The real Freqtrade with examples/freqtrade_breakout.py.

It draws and logs, its log teaches and is imported, lessons move which entries it confirms, and nothing is entered once
they are over. `environments.py` builds what it needs.
"""

import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from bot_worlds import candles, python_of
from freqtrade_runs import STRATEGY, Freqtrade
from lessons_of import draws, lessons_of_last_year, loaded, lotus, without_lessons

import lotus_lab as lab
from lotus_lab.randomiser.chance import tilted

PAIRS = ("BTC/USDT:USDT", "1000PEPE/USDT:USDT")
FEATURES = ["x_volume", "x_move", "x_side"]
DAYS, VALID = 21, 2
DAY = pd.Timedelta(days=1)


@pytest.fixture(autouse=True)
def environment() -> None:
    """Skip where Freqtrade's environment does not stand."""
    python_of("freqtrade")


def trades(result: Path) -> pd.DataFrame:
    """Return the trades of a result of a backtest."""
    with zipfile.ZipFile(result) as archive:
        made = json.loads(archive.read(f"{result.stem}.json"))
    frame = pd.DataFrame(made["strategy"]["Breakout"]["trades"])
    return frame.assign(ts=pd.to_datetime(frame["open_timestamp"], unit="ms", utc=True))


@pytest.mark.process("two backtests of Freqtrade in its own environment")
def test_a_backtest_teaches_and_the_next_one_obeys(tmp_path: Path) -> None:
    first, second = (Freqtrade(tmp_path / name, PAIRS) for name in ("first", "second"))
    world = {pair: candles(k, DAYS + 4) for k, pair in enumerate(PAIRS)}
    first.write(world)
    learned_until = pd.Timestamp("2025-01-06", tz="UTC") + pd.Timedelta(days=DAYS)
    result, _ = first.backtest(f"20250106-{learned_until:%Y%m%d}")
    logged, traded = draws(first.journal), trades(result)
    acted = logged[logged["act"]].merge(traded, left_on=["ts", "asset"], right_on=["ts", "pair"], how="outer")
    assert len(acted) == len(traded) == logged["act"].sum(), "a trade is a draw that acted, of the candle before"
    assert set(acted["trade_duration"]) <= {60, *acted.loc[acted["exit_reason"] == "force_exit", "trade_duration"]}

    events = lab.read_log(first.log).to_pandas()
    paid = events[events["published"]].merge(traded, left_on=["ts", "asset"], right_on=["ts", "pair"])
    assert len(paid) > 700
    assert paid["payoff_bps"].to_numpy() == pytest.approx(1e4 * paid["profit_ratio"].to_numpy(), rel=2e-3, abs=0.1)

    (tmp_path / "learn").mkdir()
    said = lotus("import-log", "randomiser", first.journal, "--out", tmp_path / "learn" / "events.parquet")
    assert f"{len(events):,} events" in said
    lessons = second.strategies / "lotus_lessons.py"
    second.write(world)
    said = lotus("export", "lessons", "--to", "freqtrade", "--events", tmp_path / "learn", "--out", lessons)
    assert "1 rules of 1 lessons of own events" in said
    assert "x_volume >= 3" in lessons.read_text()

    result, text = second.backtest(f"{learned_until - DAY:%Y%m%d}-20250131")
    moved, ends = draws(second.journal), learned_until + pd.Timedelta(days=VALID)
    assert moved["ts"].min() >= learned_until
    assert ends - pd.Timedelta(minutes=5) > moved["ts"].max() > ends - pd.Timedelta(hours=2)
    assert trades(result)["ts"].max() < ends, "no trade once the lessons are over"
    assert "export the lessons again" in text
    report, asked = lab.learn(tmp_path / "learn"), moved[["ts", "asset", "detector_id", *FEATURES]]
    asked = asked.assign(ts=asked["ts"].where(asked["ts"] < ends - DAY, asked["ts"] - DAY))  # edges serve both days
    advised = report.advice(asked)["tilt"]
    assert moved["p"].to_numpy() == pytest.approx([tilted(0.5, t) for t in advised], abs=1e-15)
    inside = advised > 0
    assert 20 < inside.sum() < len(moved) - 20
    act, plain = moved["act"].to_numpy(), without_lessons(moved, second.folder / "again" / second.log.name)
    assert (act & ~plain).sum() > 0, "entries were confirmed for a lesson alone"
    assert not (plain & ~act).any()


@pytest.mark.process("Freqtrade's own bot is begun three times")
def test_a_bot_on_paper_draws_once_a_candle_and_refuses_with_lessons_that_are_over(tmp_path: Path) -> None:
    pairs = tuple(f"C{k}/USDT:USDT" for k in range(8))
    (tmp_path / "candles").mkdir()
    for k, pair in enumerate(pairs):
        frame = candles(k, 2)
        frame.loc[frame.index[-2], "close"] *= 1.03  # a breakout on the newest candle that is over
        frame.loc[frame.index[-1], ["open", "high", "low", "close"]] = frame.loc[frame.index[-2], "close"]
        frame.to_parquet(tmp_path / "candles" / f"{pair.partition('/')[0]}.parquet")
    at_once = STRATEGY.read_text("utf-8") + "\nHELD = timedelta(0)\n"
    bot = Freqtrade(tmp_path / "plain", pairs)
    bot.write({}, at_once)
    made, text = bot.paper(tmp_path / "candles", 4, tmp_path / "trades.sqlite")
    logged = draws(bot.journal)
    assert len(logged) == len(pairs), "asked in every turn, drawn once"
    assert text.count("User denied entry") > (~logged["act"]).sum()
    assert {x["pair"] for x in made} == set(logged.loc[logged["act"], "asset"])
    assert made
    assert not any(x["open"] for x in made)
    said = lotus("import-log", "freqtrade", tmp_path / "trades.sqlite", "--out", tmp_path / "events.parquet")
    assert f"{len(made)} closed trades and no propensity" in said
    events = pd.read_parquet(tmp_path / "events.parquet")
    assert events["payoff_bps"].to_numpy() == pytest.approx([1e4 * x["profit"] for x in made])
    log = lab.Randomiser(bot.log)
    assert not log.open, "all that acted has its payoff"
    log.close()

    for name, strategy, opened in (
        ("over", at_once, False), ("bare", at_once.replace("    @or_refuse\n", ""), True)
    ):  # fmt: skip
        bot = Freqtrade(tmp_path / name, pairs)
        bot.write({}, strategy)
        lessons_of_last_year(bot.strategies / "lotus_lessons.py", "freqtrade", "C0/USDT:USDT")
        made, text = bot.paper(tmp_path / "candles", 2, tmp_path / f"{name}.sqlite")
        assert "export the lessons again" in text
        assert bool(made) == opened, "Freqtrade takes an exception for a yes, so it has to be caught"
        assert draws(bot.journal).empty


@pytest.mark.process("Freqtrade is begun once")
def test_a_module_that_was_edited_does_not_begin(tmp_path: Path) -> None:
    bot = Freqtrade(tmp_path / "bot", PAIRS)
    bot.write({pair: candles(k, 1) for k, pair in enumerate(PAIRS)})
    path = bot.strategies / "lotus_lessons.py"
    lessons_of_last_year(path, "freqtrade", "C0/USDT:USDT")
    until = loaded(path).LESSONS.data["until_ms"]
    path.write_text(path.read_text().replace(str(until), str(until + 10**11)))
    said = bot.fails(
        "backtesting", "--strategy", "Breakout", "--config", str(bot.configure()), "--userdir", str(bot.folder)
    )
    assert "likely cause: edited, or cut short" in said
