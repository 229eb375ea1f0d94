"""The curve of trades: cumulative money in order of decisions, the deepest fall, sums of days."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.timebase import DAY_MS
from lotus.trading.accounts.pnl import FillSource, TradeColumns
from lotus_store.facts.pnl.curve import Curve, by_day, curve_of, trips_of

AMOUNTS = st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=30)


def trades(gross_usd: list[float], times_ms: list[int], fee_usd: float = 0.0) -> TradeColumns:
    """Return trades without costs but fees."""
    n = len(gross_usd)
    texts, zeros = np.array(["d"] * n, dtype=object), np.zeros(n, np.int64)
    gross = np.array([round(1e6 * usd) for usd in gross_usd], dtype=np.int64)
    return TradeColumns(
        FillSource.PAPER_LIVE, texts, texts, np.array(times_ms), np.ones(n, np.bool_), zeros + 10**9, gross,
        zeros + round(1e6 * fee_usd), zeros, zeros, zeros,
    )  # fmt: skip


def test_money_adds_up_in_order_of_the_decisions() -> None:
    curve = curve_of(trades([5.0, 1.0, -2.0], [30, 10, 20], fee_usd=0.5))
    assert curve.time_ms.tolist() == [10, 20, 30]
    assert curve.gross.tolist() == [1.0, -1.0, 4.0]
    assert curve.net.tolist() == [0.5, -2.0, 2.5]


def test_the_deepest_fall_is_from_its_highest_point_to_its_lowest() -> None:
    curve = curve_of(trades([3.0, -1.0, 2.0, -5.0, 1.0], [1, 2, 3, 4, 5]))
    assert curve.drawdown.tolist() == [0.0, -1.0, 0.0, -5.0, -4.0]
    assert curve.deepest == (-5.0, 3, 4)


def test_a_first_trade_that_loses_is_a_fall_from_zero() -> None:
    assert curve_of(trades([-2.0, 1.0], [1, 2])).drawdown.tolist() == [-2.0, -1.0]


@settings(deadline=None)
@given(AMOUNTS)
def test_a_fall_is_never_positive_and_never_deeper_than_all_that_was_lost(micro: list[int]) -> None:
    net = np.cumsum(micro) / 1e6
    curve = Curve(np.arange(len(micro)), net, net)
    assert curve.drawdown.max() <= 0.0
    assert curve.deepest[0] >= sum(min(0, m) for m in micro) / 1e6 - 1e-6
    assert curve.deepest[1] <= curve.deepest[2] or curve.deepest[0] == curve.drawdown[0]


def test_days_are_those_of_the_decisions_and_sum_to_the_whole() -> None:
    columns = trades([5.0, 1.0, -2.0], [DAY_MS, 0, DAY_MS - 1], fee_usd=0.5)
    assert by_day(columns) == [
        {"day": "1970-01-01", "trades": 2, "gross_usd": -1.0, "net_usd": -2.0},
        {"day": "1970-01-02", "trades": 1, "gross_usd": 5.0, "net_usd": 4.5},
    ]
    assert sum(day["net_usd"] for day in by_day(columns)) == pytest.approx(curve_of(columns).net[-1])


def test_trips_are_in_order_and_in_dollars() -> None:
    first, second = trips_of(trades([5.0, 1.0], [20, 10], fee_usd=0.25))
    assert (first["time_ms"], first["traded_usd"], first["gross_usd"], first["net_usd"]) == (10, 1_000.0, 1.0, 0.75)
    assert second["time_ms"] == 20
