"""Round trips become columns: average prices by size, first stamps, and the decision's own mid."""

import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.manifest import Manifest
from lotus_store.facts.pnl.trips import RoundTrip, TripFill, filled_of

FILLS = st.lists(st.builds(TripFill, st.floats(1, 1e6), st.floats(1e-3, 1e3), st.integers(1, 10**9)), min_size=1)
WINDOW: dict[str, Any] = {
    "detector_id": "drift", "asset": "BTC", "window_end_ms": 5_000, "mid2": 2_000_002, "close_recv_ns": 7,
    "horizon_s": 30,
}  # fmt: skip


def trip(entry: tuple[TripFill, ...] = (), leave: tuple[TripFill, ...] = (), event_id: str = "e") -> RoundTrip:
    return RoundTrip(event_id, -1, "2026-01-01", 0.9, -0.1, 5.0, entry, leave)


def test_a_trip_takes_its_mid_and_its_time_to_leave_from_its_window() -> None:
    """BTC counts in tenths of a dollar, and `mid2` is twice the mid."""
    filled = filled_of([trip()], {"e": WINDOW}, Manifest())
    assert (filled.detector[0], filled.asset[0], filled.time_ms[0], filled.side[0]) == ("drift", "BTC", 5_000, -1.0)
    assert filled.decided_mid[0] == 100_000.1
    assert filled.leave_ns[0] == 30_000_000_007
    assert (filled.fees_usd[0], filled.funding_usd[0]) == (0.9, -0.1)


def test_prices_are_averages_by_size_and_stamps_those_of_the_first_fill() -> None:
    entry = (TripFill(100.0, 1.0, 50), TripFill(104.0, 3.0, 40))
    filled = filled_of([trip(entry, (TripFill(110.0, 4.0, 60),))], {"e": WINDOW}, Manifest())
    assert (filled.size[0], filled.entry_px[0], filled.entry_ns[0]) == (4.0, 103.0, 40)
    assert (filled.exit_px[0], filled.exit_ns[0]) == (110.0, 60)


def test_what_was_not_filled_has_no_size_and_no_price() -> None:
    filled = filled_of([trip()], {"e": WINDOW}, Manifest())
    assert (filled.size[0], filled.entry_ns[0]) == (0.0, 0)
    assert math.isnan(filled.entry_px[0])


def test_rows_are_in_the_order_of_the_trips() -> None:
    windows = {"a": WINDOW | {"window_end_ms": 1}, "b": WINDOW | {"window_end_ms": 2, "asset": "ETH"}}
    filled = filled_of([trip(event_id="b"), trip(event_id="a")], windows, Manifest())
    assert filled.time_ms.tolist() == [2, 1]
    assert filled.asset.tolist() == ["ETH", "BTC"]
    assert len(filled_of([], {}, Manifest()).time_ms) == 0


@settings(deadline=None)
@given(FILLS)
def test_an_average_price_lies_between_the_prices_of_its_fills(fills: list[TripFill]) -> None:
    px = filled_of([trip(tuple(fills))], {"e": WINDOW}, Manifest()).entry_px[0]
    prices = [fill.px for fill in fills]
    assert min(prices) * (1 - 1e-9) <= px <= max(prices) * (1 + 1e-9)
