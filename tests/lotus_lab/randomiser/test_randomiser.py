"""`lab.Randomiser`: draws that can be made again, a floor, a budget, payoffs of fills, rows that teach what is true."""

import errno
import math
import os
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import lotus_lab as lab
from lotus.errors import ConfigError, LotusError, SchemaError

T0 = 1_736_121_600_000
DAY_MS = 86_400_000


def ask(bot: lab.Randomiser, k: int, chance: float = 0.3, **more: Any) -> Any:
    """Draw the k-th window of five seconds on one coin."""
    given = {"ts": T0 + 5000 * k, "horizon_s": 60, "chance": chance, "x_a": 0.5 * k, **more}
    return bot.draw("signal", "BTC", **given)


def test_the_same_key_gives_the_same_draws_and_another_key_others(tmp_path: Path) -> None:
    made = []
    for name, key in (("a", "one"), ("b", "one"), ("c", "two")):
        with lab.Randomiser(tmp_path / f"{name}.parquet", key=key) as bot:
            made.append([ask(bot, k).act for k in range(300)])
            for draw in bot.open:
                bot.unfilled(draw)
    assert made[0] == made[1] != made[2]
    assert 50 < sum(made[0]) < 130


def test_what_is_logged_is_what_drew(tmp_path: Path) -> None:
    chances = np.random.default_rng(5).random(6000)
    with lab.Randomiser(tmp_path / "a.parquet", floor=0.1) as bot:
        draws = [ask(bot, k, float(chance), tilt=0.5) for k, chance in enumerate(chances)]
    p, act = (np.array([getattr(d, name) for d in draws], dtype=float) for name in ("propensity", "act"))
    wanted = 1 / (1 + (1 - chances) / chances * math.exp(-0.5))
    assert np.allclose(p, np.clip(wanted, 0.1, 0.9))
    z = (act - p).sum() / math.sqrt((p * (1 - p)).sum())
    assert abs(z) < 4


def test_what_cannot_be_acted_on_is_logged_with_no_chance(tmp_path: Path) -> None:
    with lab.Randomiser(tmp_path / "a.parquet") as bot:
        assert [ask(bot, 0, 0.0)[1:3], ask(bot, 1, 0.0, tilt=9.0)[1:3]] == [(False, 0.0)] * 2
        assert ask(bot, 2, 1.0).propensity == 0.95


@pytest.mark.parametrize("budget", [0, 1, 30])
def test_a_budget_is_kept_over_the_day_and_by_a_bot_that_is_opened_again(budget: int, tmp_path: Path) -> None:
    acts: dict[int, list[float]] = {}
    for day in range(3):
        for part in range(4):
            with lab.Randomiser(tmp_path / "a.parquet", key="k", budget=budget) as bot:
                for k in range(part * 360, (part + 1) * 360):
                    draw = bot.draw("s", "BTC", ts=T0 + day * DAY_MS + k * 60_000, horizon_s=60, chance=0.4, x_a=1.0)
                    if draw.act:
                        acts.setdefault(day, []).append(k / 1440)
                        bot.unfilled(draw)
    for times in acts.values():
        assert len(times) <= budget
        if budget == 30:
            assert len(times) >= 20
            assert 0.3 < np.mean(times) < 0.7, "spread over the day, not spent in the morning"
    table = lab.read_log(tmp_path / "a.parquet").to_pandas()
    assert len(table) == 3 * 1440 - 1
    p, a = table["propensity"], table["published"].astype(float)
    assert abs((a - p).sum()) < 4 * math.sqrt((p * (1 - p)).sum() + 1e-9)
    assert (p.iloc[::7] > 0).any() == (budget > 0)


def test_fills_become_payoffs(tmp_path: Path) -> None:
    with lab.Randomiser(tmp_path / "a.parquet") as bot:
        draws = [d for d in (ask(bot, k, 1.0, size=2.0) for k in range(40)) if d.act][:6]
        long, short, part, none, direct, _ = draws
        assert bot.fill(long, "buy", 100.0, 1.5, fee_bps=2.0) is None
        assert bot.fill(long, "buy", 102.0, 0.5, fee_bps=2.0) is None
        assert bot.fill(long.row, "sell", 101.0, 2.0, fee_bps=-1.0) == pytest.approx(
            (202.0 - 201.0) / 201.0 * 1e4 - (2.0 * 201.0 - 202.0) / 201.0
        )
        bot.fill(short, "sell", 50.0, 2.0)
        assert bot.fill(short, "buy", 49.0, 2.0) == pytest.approx(200.0)
        bot.fill(part, "buy", 100.0, 1.0)
        assert bot.fill(part, "sell", 101.0, 1.0) == pytest.approx(50.0), "half of what was ordered"
        bot.unfilled(none)
        bot.outcome(direct, -7.5)
        for wrong in (long, 10**6, -1, next(d for d in (ask(bot, k) for k in range(50, 99)) if not d.act)):
            with pytest.raises(SchemaError, match="draw"):
                bot.unfilled(wrong)
        last = draws[5]
        bot.fill(last, "buy", 10.0, 1.0)
        with pytest.raises(SchemaError, match="3 closed of 1 opened"):
            bot.fill(last, "sell", 10.0, 3.0)
        assert bot.fills_of(last) == ((1, 10.0, 1.0, 0.0),)
        for side, price, size in (("hold", 1, 1), ("buy", 0, 1), ("buy", 1, math.nan), ("buy", math.inf, 1)):
            with pytest.raises(SchemaError):
                bot.fill(last, side, price, size)
        bot.void(last)


def test_a_payoff_that_is_missing_is_asked_for_and_never_left_out(tmp_path: Path) -> None:
    log = tmp_path / "a.parquet"
    with lab.Randomiser(log) as bot:
        draws = [ask(bot, k, 1.0) for k in range(40)]
        acted = [d for d in draws if d.act]
        for d in acted[2:]:
            bot.outcome(d, 1.0)
        with pytest.raises(SchemaError, match="2 draws acted and have no payoff"):
            bot.events()
    assert pq.read_table(log).num_rows == acted[0].row, "rows end before the first that is not settled"
    bot = lab.Randomiser(log)
    assert [d.row for d in bot.open] == [acted[0].row, acted[1].row]
    bot.unfilled(bot.open[0])
    bot.void(acted[1])
    table = bot.events().to_pandas()
    assert acted[1].row not in set(table["row"])
    assert len(table) == 40 - 60 // 5 - 1, "rows younger than their horizon are left out, acted on or not"
    assert table["payoff_bps"].notna().equals(table["published"])
    bot.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"chance": -0.1}, {"chance": math.nan}, {"chance": "0.3"}, {"chance": None},
        {"horizon_s": 60.5}, {"x_a": np.ones(2)}, {"tilt": math.inf}, {"size": -1.0}, {"horizon_s": 0},
        {"horizon_s": 120}, {"ts": datetime(2025, 1, 8)}, {"ts": "2025-01-08"}, {"ts": 1.5}, {"x_a": math.inf},
        {"ts": T0 // 1000 + DAY_MS}, {"ts": T0 * 1000}, {"ts": np.datetime64("2026-01-08", "ns")},
        {"x_a": -math.inf}, {"x_a": "text"}, {"x_b": 1.0}, {"x_a": [1]}, {"x_a": True},
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_and_not_logged(wrong: dict[str, Any], tmp_path: Path) -> None:
    with lab.Randomiser(tmp_path / "a.parquet") as bot:
        ask(bot, 0, 0.0)
        size = (tmp_path / "a.parquet.journal").stat().st_size
        with pytest.raises(LotusError):
            ask(bot, 10_000, **wrong)
        for asset in ("", " BTC", "B\x00", "B\n"):
            with pytest.raises(LotusError):
                bot.draw("s", asset, ts=T0, horizon_s=60, chance=0.5, x_a=1.0)
        assert (tmp_path / "a.parquet.journal").stat().st_size == size
        assert ask(bot, 1, 0.0).row == 1


def test_a_refused_first_call_leaves_no_trace(tmp_path: Path) -> None:
    with lab.Randomiser(tmp_path / "a.parquet") as bot:
        for wrong in ({"x_a": 1.0, "vol": 2.0}, {"x_a": 1.0, "x_b": [1]}, {"x_a": math.inf}):
            with pytest.raises(SchemaError):
                bot.draw("s", "BTC", ts=T0, horizon_s=60, chance=0.5, **wrong)  # type: ignore[arg-type]
        assert bot.draw("s", "BTC", ts=T0, horizon_s=60, chance=0.5, x_c="calm").row == 0


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    with lab.Randomiser(tmp_path / "a.parquet") as bot:
        for k, value in enumerate((None, math.nan, 1.5, None)):
            ask(bot, k, 0.0, x_a=value, x_b=None if k < 2 else "calm")
        ask(bot, 40, 0.0, x_a=1, x_b="wild")
        with pytest.raises(SchemaError, match="x_b is a number"):
            ask(bot, 41, 0.0, x_a=1, x_b=2)
        table = bot.events().to_pandas()
    assert table["x_a"].isna().tolist() == [True, True, False, True]
    assert table["x_b"].isna().tolist() == [True, True, False, False]


def test_a_row_of_pandas_is_drawn_as_plain_values_are(tmp_path: Path) -> None:
    row = pd.Series({"x_a": np.float64(1.5), "x_b": "calm", "x_c": np.bool_(True), "x_d": np.int64(3), "x_e": pd.NA})
    plain = {"x_a": 1.5, "x_b": "calm", "x_c": True, "x_d": 3, "x_e": None}
    for name, given, kind in (("a", dict(row), np.float64), ("b", plain, float)):
        with lab.Randomiser(tmp_path / f"{name}.parquet", key="one") as bot:
            for k, last in enumerate((pd.NaT, np.float64("nan"), np.float32(2.0))):
                value = last if name == "a" else (None, math.nan, 2.0)[k]
                draw = bot.draw(
                    "s", "BTC", ts=T0 + k, horizon_s=np.int64(60), chance=kind(0.5), tilt=kind(0.25), size=kind(2.0),
                    **given | {"x_f": value},
                )  # fmt: skip
                assert (type(draw.act), type(draw.propensity)) == (bool, float)
                if draw.act:
                    bot.outcome(draw, np.float64(1.0))
    assert (tmp_path / "a.parquet.journal").read_bytes() == (tmp_path / "b.parquet.journal").read_bytes()


def test_times_are_of_any_kind_with_a_zone(tmp_path: Path) -> None:
    moment = datetime(2025, 1, 8, 12, tzinfo=timezone(timedelta(hours=2)))
    with lab.Randomiser(tmp_path / "a.parquet") as bot:
        for k, ts in enumerate((moment, pd.Timestamp(moment) + pd.Timedelta("1s"), np.int64(1_736_330_402_000))):
            draw = bot.draw("s", "BTC", ts=ts, horizon_s=60, chance=0.0, x_a=1)  # type: ignore[arg-type]
            assert draw.ts_ms == 1_736_330_400_000 + 1000 * k
        assert moment.astimezone(UTC).hour == 10


def test_asked_again_it_answers_the_same_and_writes_nothing(tmp_path: Path) -> None:
    with lab.Randomiser(tmp_path / "a.parquet") as bot:
        draws = [ask(bot, k, 0.5) for k in range(20)]
    bot = lab.Randomiser(tmp_path / "a.parquet")
    size = (tmp_path / "a.parquet.journal").stat().st_size
    assert [ask(bot, k, 0.9) for k in range(20)] == draws
    assert (tmp_path / "a.parquet.journal").stat().st_size == size
    later = ask(bot, 30, 0.5)
    assert ask(bot, 31).row == later.row + 1
    assert ask(bot, 30) == later
    with pytest.raises(SchemaError, match="never asked then"):
        ask(bot, 25)
    bot.close()


def test_one_process_writes_with_one_key(tmp_path: Path) -> None:
    bot = lab.Randomiser(tmp_path / "a.parquet", key="one")
    with pytest.raises(ConfigError, match="another process"):
        lab.Randomiser(tmp_path / "a.parquet", key="one")
    bot.close()
    with pytest.raises(ConfigError, match="another key"):
        lab.Randomiser(tmp_path / "a.parquet", key="two")
    for wrong in ({"floor": 0.0}, {"floor": 0.5}, {"budget": -1}, {"budget": math.nan}):
        with pytest.raises(ConfigError):
            lab.Randomiser(tmp_path / "b.parquet", **wrong)  # type: ignore[arg-type]


def test_a_closed_log_says_that_it_is_closed(tmp_path: Path) -> None:
    bot = lab.Randomiser(tmp_path / "a.parquet")
    draw = next(x for x in (ask(bot, k) for k in range(100)) if x.act)
    bot.close()
    for late in (lambda: ask(bot, 100), lambda: bot.unfilled(draw), lambda: bot.void(draw)):
        with pytest.raises(ConfigError, match=r"is closed; expected: an open log; likely cause: .*after `close`"):
            late()
    with lab.Randomiser(tmp_path / "a.parquet") as again:
        again.unfilled(draw)


def test_a_forked_child_may_not_write(tmp_path: Path) -> None:
    bot = lab.Randomiser(tmp_path / "a.parquet")
    ask(bot, 0)
    if (child := os.fork()) == 0:
        try:
            ask(bot, 1)
        except ConfigError:
            os._exit(7)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert ask(bot, 1).row == 1
    bot.close()


def test_a_torn_line_is_cut_and_a_damaged_one_told(tmp_path: Path) -> None:
    log, journal = tmp_path / "a.parquet", tmp_path / "a.parquet.journal"
    with lab.Randomiser(log) as bot:
        draws = [ask(bot, k, 0.0) for k in range(30)]
    whole = journal.read_bytes()
    for cut in range(1, len(whole.splitlines(keepends=True)[-1])):
        journal.write_bytes(whole[:-cut])
        bot = lab.Randomiser(log)
        assert bot._ledger.rows == 29
        assert ask(bot, 29, 0.0) == draws[29]
        bot.close()
        assert journal.read_bytes() == whole
    journal.write_bytes(whole.replace(b'"draw"', b'"dr\xffw"', 1))
    with pytest.raises(SchemaError, match="line 2"):
        lab.Randomiser(log)
    with pytest.raises(SchemaError, match="is not there"):
        lab.read_log(tmp_path / "none.parquet")


def test_a_full_disk_refuses_the_draw_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = lab.Randomiser(tmp_path / "a.parquet")
    first, write = ask(bot, 0, 0.0), os.write

    def full(handle: int, line: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    def half(handle: int, line: bytes) -> int:
        return write(handle, line[: len(line) // 2])

    for broken in (full, half):
        monkeypatch.setattr(os, "write", broken)
        with pytest.raises(ConfigError, match="full disk"):
            ask(bot, 1, 1.0)
        monkeypatch.setattr(os, "write", write)
    assert (first.row, ask(bot, 1, 0.0).row) == (0, 1)
    (tmp_path / ".a.parquet.part").mkdir()
    with pytest.raises(ConfigError, match="journal holds everything"):
        bot.close()
    (tmp_path / ".a.parquet.part").rmdir()
    with lab.Randomiser(tmp_path / "a.parquet") as again:
        assert again._ledger.rows == 2


def test_a_bot_teaches_what_is_true(tmp_path: Path) -> None:
    rng, log = np.random.default_rng(3), tmp_path / "signals.parquet"
    bot = lab.Randomiser(log, budget=900)
    for k in range(14 * 500):
        x, ts = rng.normal(size=2), T0 + k * DAY_MS // 500
        payoff = 5.0 * (x[0] > 0.25) + 6.0 * rng.standard_t(5)
        draw = bot.draw(
            "entry", "BTC", ts=ts, horizon_s=120, chance=float(rng.random()), x_trend=float(x[0]), x_vol=float(x[1]),
            x_side="long" if rng.random() < 0.5 else "short",
        )  # fmt: skip
        if draw.act:
            bot.outcome(draw, payoff)
    bot.close()
    report = lab.learn(log)
    assert list(report.lessons["rule"]) == ["x_trend >= 3"]
    assert not report.audits["alarm"].any()
    assert lab.learn(lab.read_log(log)).facts["lessons"] == report.facts["lessons"]


@pytest.mark.clock("a call is measured in microseconds")
def test_a_call_costs_less_than_twenty_microseconds(tmp_path: Path) -> None:
    best = math.inf
    with lab.Randomiser(tmp_path / "a.parquet", budget=1e9) as bot:
        for part in range(40):
            began = time.process_time()
            for k in range(part * 500, (part + 1) * 500):
                bot.draw("s", "BTC", ts=T0 + k, horizon_s=60, chance=0.3, x_a=0.5, x_b=1.5, x_c="calm", x_d=0.1)
            best = min(best, (time.process_time() - began) / 500)
    assert best < 20e-6
