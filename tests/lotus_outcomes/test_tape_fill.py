"""The executed probe: walking the book, ticks, rejection, funding; it shares nothing with the modelled cost."""

import ast
from pathlib import Path

import numpy as np
import pytest

import lotus.outcomes.tape_fill as tape_fill
from lotus.outcomes.tape_fill import MAX_MULTIPLES, TopOfBook, executed_payoff_bps, tick_units, walk

HOUR_NS = 3_600_000_000_000


def top(recv_ns=0, bid=99_990, ask=100_010, bid_sz=10**9, ask_sz=10**9):
    return TopOfBook(*(np.array([x], dtype=np.int64) for x in (recv_ns, bid, bid_sz, ask, ask_sz)))


def payoff(direction, entry, leave, funding=0.0):
    return executed_payoff_bps(
        np.array([direction]), entry, leave, np.array([funding]), sz_decimals=4, notional_usd=1000.0, fee_bps=4.5
    )[0]


def brute_average(px, size, lots, tick, buying):
    total, left, level = 0, lots, 0
    while left:
        take = min(left, size) if level < MAX_MULTIPLES else left
        total += take * (px + level * tick * (1 if buying else -1))
        left, level = left - take, level + 1
    return total / lots


@pytest.mark.parametrize("buying", [True, False])
def test_walk_equals_filling_level_by_level(buying):
    rng = np.random.default_rng(1)
    px, size = rng.integers(50_000, 90_000, 300), rng.integers(1, 500, 300)
    lots, tick = rng.integers(1, 5_000, 300), rng.integers(1, 20, 300)
    average, _ = walk(px, size, lots, tick, np.full(300, buying))
    expected = [brute_average(*row, buying) for row in zip(px, size, lots, tick, strict=True)]
    np.testing.assert_allclose(average, expected, rtol=1e-12)


def test_the_tick_follows_the_price():
    decimals = 3
    px = np.array([9_999, 99_999, 100_000, 1_234_567, 12_345_678, 123_456_789])
    assert tick_units(px, decimals).tolist() == [1, 1, 10, 100, 1000, 1000]


def test_a_small_probe_pays_the_spread_and_both_fees():
    ratio = 99_990 / 100_010
    assert payoff(1.0, top(), top()) == pytest.approx((ratio - 1) * 1e4 - 4.5 * (1 + ratio))
    ratio = 100_010 / 99_990
    assert payoff(-1.0, top(), top()) == pytest.approx(-(ratio - 1) * 1e4 - 4.5 * (1 + ratio))


def test_thin_books_cost_more_and_empty_ones_reject():
    deep, thin = payoff(1.0, top(), top()), payoff(1.0, top(ask_sz=2_000), top(bid_sz=2_000))
    assert thin < deep
    assert payoff(1.0, top(ask_sz=0), top()) == 0.0
    assert payoff(1.0, top(ask_sz=10), top()) == 0.0
    assert payoff(1.0, top(), top(bid_sz=10)) < deep  # an exit always fills


def test_funding_is_paid_for_each_hour_that_passes():
    before, after = top(HOUR_NS - 5), top(HOUR_NS + 5)
    flat = payoff(1.0, before, before)
    assert payoff(1.0, before, before, funding=3.0) == flat
    assert payoff(1.0, before, after, funding=3.0) == pytest.approx(flat - 3.0)
    assert payoff(1.0, before, top(3 * HOUR_NS), funding=-2.0) == pytest.approx(flat + 6.0)


def test_no_direction_is_no_probe():
    assert np.isnan(payoff(0.0, top(), top()))


def test_the_executed_probe_never_reads_the_modelled_cost():
    tree = ast.parse(Path(tape_fill.__file__).read_text())
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not {m for m in modules if m and m.startswith("lotus.outcomes")}
