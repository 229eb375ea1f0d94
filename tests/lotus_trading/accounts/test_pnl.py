"""Profit and loss split honestly: the identity in every row, the sentence both ways, intervals that cover."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import SchemaError
from lotus.timebase import BLOCK_MS, DAY_MS
from lotus.trading.accounts.pnl import (
    AMOUNTS,
    COSTS,
    NO_EDGE,
    FillSource,
    Floats,
    TradeColumns,
    TradeEnds,
    blocks_of,
    by_detector,
    decomposed,
    joined,
    total,
)

START_MS = 20_000 * DAY_MS


def executed(
    rng: np.random.Generator, n: int, days: int, drift_bps: float, source: FillSource = FillSource.VENUE
) -> TradeColumns:
    """Return trades of 1,000 USD that go `drift_bps` their way, of two detectors, with a shock shared by a day."""
    time_ms = np.sort(START_MS + rng.integers(0, days * DAY_MS, n))
    side = rng.choice((-1.0, 1.0), n)
    shared = rng.normal(0, 3, days)[(time_ms - START_MS) // DAY_MS]
    mid = rng.uniform(50, 60_000, n)
    moved = mid * (1 + side * (drift_bps + shared + rng.normal(0, 8, n)) / 1e4)
    half = mid * rng.uniform(0.1, 1, n) / 1e4
    late = mid * rng.normal(0, 0.5, n) / 1e4
    legs = TradeEnds(mid, half, mid + late + side * half), TradeEnds(moved, half, moved + late - side * half)
    size = np.where(rng.random(n) < 0.03, 0.0, 1_000 / mid)
    fees = 4.5e-4 * size * (legs[0].px + legs[1].px)
    names = rng.choice(np.array(["a", "b"], dtype=object), n), np.full(n, "BTC", dtype=object)
    return decomposed(source, names, time_ms, side, size, legs, (fees, rng.normal(0, 1e-3, n)))


@given(st.integers(0, 2**32 - 1), st.integers(1, 80))
@settings(max_examples=examples(60), deadline=None)
def test_the_identity_holds_exactly_in_every_row_and_every_sum(seed: int, n: int) -> None:
    trades = executed(np.random.default_rng(seed), n, 6, 5.0)
    costs = sum((trades.amount(name) for name in COSTS), np.zeros(n, np.int64))
    assert np.array_equal(trades.gross - costs, trades.net)
    for line in (total(trades), *by_detector(trades)):
        assert line.micro_usd["gross"] - sum(line.micro_usd[name] for name in COSTS) == line.micro_usd["net"]
        assert line.mean_bps["gross"] - sum(line.mean_bps[n] for n in COSTS) == pytest.approx(
            line.mean_bps["net"], abs=1e-9
        )
    assert not any(trades.amount(name)[~trades.filled].any() for name in AMOUNTS)


def test_net_is_what_the_cash_says() -> None:
    """A second way to net: money out, money in, fees and funding; whatever mids and spreads were."""
    rng = np.random.default_rng(3)
    n, side = 500, rng.choice((-1.0, 1.0), 500)
    size, entry, leave = rng.uniform(0.01, 5, n), rng.uniform(90, 110, n), rng.uniform(90, 110, n)
    fees, funding = rng.uniform(0, 1, n), rng.normal(0, 1, n)
    legs = (
        TradeEnds(rng.uniform(80, 120, n), rng.uniform(0, 2, n), entry),
        TradeEnds(rng.uniform(80, 120, n), rng.uniform(0, 2, n), leave),
    )
    names = np.full(n, "d", dtype=object), np.full(n, "BTC", dtype=object)
    trades = decomposed(FillSource.VENUE, names, np.arange(n), side, size, legs, (fees, funding))
    cash = side * size * (leave - entry) - fees - funding
    assert np.max(np.abs(trades.net / 1e6 - cash)) <= 2.5e-6  # five numbers, each rounded to a millionth


def test_one_trade_by_hand() -> None:
    """Ten bought at 100.3, decided at 100, half a spread 0.1; sold at 100.8, decided at 101, half a spread 0.1."""
    one = np.ones(1)
    legs = TradeEnds(100 * one, 0.1 * one, 100.3 * one), TradeEnds(101 * one, 0.1 * one, 100.8 * one)
    names = np.array(["d"], dtype=object), np.array(["BTC"], dtype=object)
    trades = decomposed(FillSource.VENUE, names, np.zeros(1, np.int64), one, 10 * one, legs, (0.9 * one, -0.05 * one))
    told = {name: int(trades.amount(name)[0]) for name in AMOUNTS}
    assert told == {
        "gross": 10_000_000, "fees": 900_000, "spread": 2_000_000, "slippage": 3_000_000, "funding": -50_000,
        "net": 4_150_000,
    }  # fmt: skip
    assert trades.bps("net")[0] == pytest.approx(1e4 * 4.15 / 1_003)


@pytest.mark.parametrize(("drift_bps", "says"), [(0.0, True), (9.0, True), (11.0, True), (30.0, False), (-30.0, True)])
def test_the_sentence_appears_exactly_when_the_interval_of_net_does_not_lie_above_zero(
    drift_bps: float, says: bool
) -> None:
    line = total(executed(np.random.default_rng(1), 400, 12, drift_bps))
    assert line.net_interval is not None
    assert (line.verdict == NO_EDGE) == says
    assert (line.net_interval[0] > 0.0) == (not says) == line.has_edge
    assert line.gross_interval is not None
    assert (line.gross_interval[0] > 0.0) == (drift_bps > 8)  # before costs there is one, or not


@given(st.floats(-5, 40), st.integers(0, 10_000))
@settings(max_examples=examples(60), deadline=None)
def test_the_sentence_and_the_interval_never_disagree(drift_bps: float, seed: int) -> None:
    line = total(executed(np.random.default_rng(seed), 120, 8, drift_bps))
    above = line.net_interval is not None and line.net_interval[0] > 0.0
    assert (NO_EDGE in line.verdict) == (not above)


def test_too_few_blocks_give_no_interval_and_no_edge() -> None:
    rng = np.random.default_rng(2)
    few = executed(rng, 50, 1, 100.0)
    line = total(few)
    assert (line.block, line.blocks) == ("6 h block", 4)
    assert line.net_interval is None
    assert line.verdict == f"{NO_EDGE} (no interval; blocks: 4)"
    assert total(executed(rng, 50, 4, 100.0)).block == "6 h block"
    assert total(executed(rng, 90, 5, 100.0)).block == "day"
    nothing = total(few.where(np.zeros(50, np.bool_)))
    assert (nothing.trades, nothing.verdict) == (0, f"{NO_EDGE} (no trades)")


def test_blocks_hold_whole_days_or_quarters_of_them() -> None:
    assert blocks_of(np.array([0, DAY_MS - 1, DAY_MS]))[1].tolist() == [0, 3, 4]
    days = DAY_MS * np.arange(5)
    assert blocks_of(days + BLOCK_MS) == ("day", pytest.approx(np.arange(5)))


def test_the_interval_covers_the_truth_though_days_are_shared() -> None:
    """Truth inside in about 95 of 100, with shocks shared by all trades of a day; as if independent far fewer."""
    inside, narrow, runs = 0, 0, 300
    truth = _true_net()
    for seed in range(runs):
        trades = executed(np.random.default_rng(seed), 300, 10, 10.0)
        line = total(trades)
        assert line.net_interval is not None
        inside += line.net_interval[0] <= truth <= line.net_interval[1]
        net = trades.bps("net")
        narrow += abs(net.mean() - truth) <= 1.96 * net.std() / np.sqrt(len(net))
    assert 0.90 <= inside / runs <= 0.99
    assert narrow / runs < 0.75


def test_sources_are_never_added() -> None:
    rng = np.random.default_rng(4)
    venue, paper = executed(rng, 9, 3, 0.0), executed(rng, 9, 3, 0.0, FillSource.PAPER_LIVE)
    with pytest.raises(SchemaError, match="several fill sources"):
        joined([venue, paper])
    both = joined([venue, venue])
    assert (len(both), both.source) == (18, FillSource.VENUE)
    assert np.array_equal(both.net, np.concatenate([venue.net, venue.net]))


def test_a_filled_trade_must_know_its_numbers_and_an_unfilled_one_needs_none() -> None:
    names = np.array(["d"], dtype=object), np.array(["BTC"], dtype=object)
    unknown: Floats = np.array([np.nan])
    leg, one = TradeEnds(unknown, unknown, unknown), np.ones(1)
    args = FillSource.VENUE, names, np.zeros(1, np.int64), one
    trades = decomposed(*args, 0 * one, (leg, leg), (unknown, unknown))
    assert (trades.net[0], trades.bps("net")[0], trades.filled[0]) == (0, 0.0, False)
    with pytest.raises(SchemaError, match="unknown price or cost"):
        decomposed(*args, one, (leg, leg), (one, one))
    with pytest.raises(SchemaError, match="unknown price or cost"):
        decomposed(*args, one, (replace(leg, decision_mid=one, half_spread=one, px=one),) * 2, (unknown, one))


def _true_net() -> float:
    """The mean of a very long run of the same world."""
    runs = [executed(np.random.default_rng(10_000 + k), 4_000, 400, 10.0).bps("net").mean() for k in range(40)]
    return float(np.mean(runs))
