"""Orders at rest, lived by the kernel and by the exchange: a few minutes of each tape; the recording where it lies."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from benchmarks.trading.passive import figures, recording, simulated
from benchmarks.trading.passive_orders import Compared, RawTape, coin_tapes, compared, orders_on, placings
from benchmarks.trading.passive_styles import cost, table

MINUTES = ("08:00", "08:06")


def require_reach(rows: Sequence[Compared]) -> None:
    found = figures(rows)
    assert found["within"] >= 0.95
    assert found["pessimistic_not_given"] <= 0.01
    assert found["pessimistic_filled"] > 0


@pytest.mark.evidence("the exchange's matching beside the kernel's on a simulated tape")
def test_the_exchange_fills_within_the_bounds_on_a_simulated_tape() -> None:
    rows = compared(simulated(MINUTES), 15)
    assert len(rows) == 4 * 3 * 15
    require_reach(rows)


@pytest.mark.evidence("the exchange's matching beside the kernel's on a recorded tape")
def test_the_exchange_fills_within_the_bounds_on_a_recorded_tape() -> None:
    raw = recording("2025-09-04")
    if raw is None:
        pytest.skip("the recording does not lie beside the checkout")
    rows = compared(replace(raw, lines=raw.lines[:9_000]), 12)
    require_reach(rows)
    assert any(row.low < row.exchange for row in rows)


def test_the_judge_sees_what_is_outside_the_bounds() -> None:
    found = figures([Compared(10, 5, 8, 6), Compared(10, 5, 8, 4), Compared(10, 0, 3, 9), Compared(10, 0, 10, 0)])
    assert (found["within"], found["pessimistic_not_given"], found["optimistic_exceeded"]) == (0.5, 0.5, 0.25)


def short() -> RawTape:
    return simulated(("08:00", "08:08"))


def test_the_places_of_an_order_are_the_best_of_its_side() -> None:
    raw = short()
    (coin, *_) = coin_tapes(raw)
    orders = orders_on(0, coin, 1, improves=False, most=4)
    for k in range(len(orders.lots)):
        for quote, px in placings(coin, orders, k):
            assert px == coin.tape.quotes.bid_px[quote]


def test_the_table_and_the_cost_are_told() -> None:
    (line, *_) = table([short()])
    assert line["n"] > 0
    low, high = line["join_low_rested"], line["join_high_rested"]
    assert 0.0 <= low <= high <= 1.0
    assert cost(short(), repeats=1)["ratio"] > 0.0
