"""The real NautilusTrader with examples/nautilus_breakout.py, as test_freqtrade.py has Freqtrade.

It draws and logs, its log teaches, its catalogue and its report are imported, lessons move which entries it makes, and
nothing is entered once they are over.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from bot_worlds import ROOT, candles, python_of
from lessons_of import draws, lessons_of_last_year, lotus, without_lessons

import lotus_lab as lab
from lotus_lab.randomiser.chance import tilted

STRATEGY = ROOT / "examples" / "nautilus_breakout.py"
FEATURES = ["x_volume", "x_move", "x_side"]
DAY, DAYS, VALID = pd.Timedelta(days=1), 28, 2
NAME = "BTCUSDT-PERP.BINANCE"


@pytest.fixture(autouse=True)
def environment() -> None:
    """Skip where NautilusTrader's environment does not stand."""
    python_of("nautilus")


@dataclass(frozen=True)
class Nautilus:
    """A folder with the strategy, and lessons beside it."""

    folder: Path

    @property
    def journal(self) -> Path:
        """What its randomiser writes at once."""
        return self.folder / "breakout.parquet.journal"

    def run(self, bars: pd.DataFrame, wanted: bool = True) -> tuple[Path, str]:
        """Run a backtest over bars; return its report of positions and what it said."""
        self.folder.mkdir(exist_ok=True)
        shutil.copy(STRATEGY, self.folder)
        prices = ["open", "high", "low", "close"]
        bars = bars.assign(**{x: (500.0 * bars[x]).round(1) for x in prices})
        bars.to_parquet(self.folder / "bars.parquet")
        report = self.folder / "positions.csv"
        command = [python_of("nautilus"), ROOT / "tests" / "bots" / "run_nautilus.py", self.folder]
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}
        done = subprocess.run(
            [*command, self.folder / "bars.parquet", report], capture_output=True, text=True, env=environment
        )
        assert (done.returncode == 0) == wanted, (done.stdout + done.stderr)[-4000:]
        return report, done.stdout + done.stderr


@pytest.mark.process("two backtests of NautilusTrader in its own environment")
def test_a_backtest_teaches_and_the_next_one_obeys(tmp_path: Path) -> None:
    first, second = Nautilus(tmp_path / "first"), Nautilus(tmp_path / "second")
    world = candles(0, DAYS + 4, effect_bps=250.0)
    learned_until = world["date"].iloc[0] + DAYS * DAY
    report, _ = first.run(world[world["date"] < learned_until])
    positions = pd.read_csv(report, parse_dates=["ts_opened", "ts_closed"])
    logged = draws(first.journal)
    traded = logged[logged["act"]].merge(positions, left_on="ts", right_on="ts_opened", how="outer")
    assert len(traded) == len(positions) == logged["act"].sum() > 300, "a position is a draw that acted"
    events = lab.read_log(first.folder / "breakout.parquet").to_pandas()
    paid = events[events["published"]].merge(positions, left_on="ts", right_on="ts_opened")
    notional = paid["avg_px_open"] * paid["peak_qty"]
    net = paid["realized_pnl"].str.split().str[0].astype(float) / notional * 1e4
    assert paid["payoff_bps"].to_numpy() == pytest.approx(net.to_numpy(), abs=0.01), "net of commissions"

    side = positions["entry"].map({"BUY": 1, "SELL": -1})
    gross = (1e4 * side * (positions["avg_px_close"] / positions["avg_px_open"] - 1)).to_numpy()
    for log in (report, first.folder / "catalog", first.folder / "catalog" / "data"):
        said = lotus("import-log", "nautilus", log, "--out", tmp_path / "events.parquet")
        assert f"{len(positions):,} closed trades and no propensity" in said
        made = pd.read_parquet(tmp_path / "events.parquet").sort_values("ts")
        assert made["payoff_bps"].to_numpy() == pytest.approx(gross)
        assert (made["ts"].to_numpy() == positions["ts_opened"].to_numpy()).all()

    (tmp_path / "learn").mkdir()
    lotus("import-log", "randomiser", first.journal, "--out", tmp_path / "learn" / "events.parquet")
    second.folder.mkdir()
    lessons = second.folder / "lotus_lessons.py"
    said = lotus("export", "lessons", "--to", "nautilus", "--events", tmp_path / "learn", "--out", lessons)
    assert "rules of 1 lessons of own events" in said
    assert "x_volume >= 3" in lessons.read_text()

    ends = learned_until + VALID * DAY
    report, text = second.run(world[world["date"] >= learned_until - DAY / 2])
    moved = draws(second.journal)
    assert "in force from" in text, "not before their time"
    assert "export the lessons again" in text
    assert moved["ts"].min() >= learned_until
    assert ends > moved["ts"].max() > ends - pd.Timedelta(hours=3)
    assert pd.read_csv(report, parse_dates=["ts_opened"])["ts_opened"].max() < ends
    asked = moved[["ts", "asset", "detector_id", *FEATURES]]
    asked = asked.assign(ts=asked["ts"].where(asked["ts"] < ends - DAY, asked["ts"] - DAY))  # edges serve both days
    advised = lab.learn(tmp_path / "learn").advice(asked)["tilt"]
    assert moved["p"].to_numpy() == pytest.approx([tilted(0.5, t) for t in advised], abs=1e-15)
    assert 5 < (advised > 0).sum() < len(moved) - 5
    act, plain = moved["act"].to_numpy(), without_lessons(moved, second.folder / "again" / "breakout.parquet")
    assert (act & ~plain).sum() > 0, "entries were made for a lesson alone"
    assert not (plain & ~act).any()


@pytest.mark.process("NautilusTrader is begun twice")
def test_lessons_that_are_over_or_edited_enter_nothing(tmp_path: Path) -> None:
    bot, world = Nautilus(tmp_path / "bot"), candles(1, 1)
    bot.folder.mkdir()
    lessons = bot.folder / "lotus_lessons.py"
    lessons_of_last_year(lessons, "nautilus", NAME)
    _, text = bot.run(world)
    assert text.count("export the lessons again") > 10
    assert draws(bot.journal).empty
    lessons.write_text(lessons.read_text().replace("breakout", "breakouts", 1))
    other = Nautilus(tmp_path / "other")
    other.folder.mkdir()
    until = '"until_ms\\": '
    text = lessons.read_text()
    assert until in text
    (other.folder / "lotus_lessons.py").write_text(text.replace(until, until + "9"))
    _, text = other.run(world, wanted=False)
    assert "likely cause: edited, or cut short" in text
