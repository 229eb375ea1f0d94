"""Rows of what venues did with a coin's plans, by hand."""

from dataclasses import replace

import pytest

from lotus.trading.estimates.venue_records import LEAST, VenueExecution, measured_all, venue_records

ONE = VenueExecution("local", "BTC", 2.0, 2.0, 1_000.0, 0.45, 1.0, 20.0, True)
HALF = replace(ONE, filled=1.0, traded_usd=500.0, fees_usd=0.15, slippage_bps=3.0, latency_ms=60.0, succeeded=False)
NONE = replace(ONE, filled=0.0, traded_usd=0.0, fees_usd=0.0, slippage_bps=None, latency_ms=None, succeeded=False)


def test_a_row_holds_means_over_what_was_due() -> None:
    (row,) = venue_records([ONE, HALF, NONE]).values()
    assert (row.venue, row.coin, row.executions) == ("local", "BTC", 3)
    assert row.fee_bps == pytest.approx(1e4 * 0.6 / 1_500.0)
    assert (row.slippage_bps, row.latency_ms) == (2.0, 40.0)
    assert row.fill_rate == pytest.approx(0.5)
    assert row.success_rate == pytest.approx(1 / 3)


def test_success_is_shrunk_towards_that_of_all_venues_so_few_trials_are_no_fault() -> None:
    there = [replace(ONE, venue="local-2")] * LEAST
    rows = venue_records([*[ONE] * 90, *there])
    assert rows["local", "BTC"].success_rate == rows["local-2", "BTC"].success_rate == 1.0
    rows = venue_records([*[ONE] * 90, *[replace(HALF, venue="local-2")] * 10])
    assert rows["local-2", "BTC"].success_rate == pytest.approx(10 * 0.9 / 20)
    assert rows["local", "BTC"].success_rate == pytest.approx((90 + 9) / 100)


def test_venues_and_coins_are_apart_and_few_executions_measure_nothing() -> None:
    there = [replace(ONE, venue="local-2")] * LEAST
    rows = venue_records([*[ONE] * LEAST, *there[:-1], replace(ONE, coin="ETH")])
    assert sorted(rows) == [("local", "BTC"), ("local", "ETH"), ("local-2", "BTC")]
    assert not measured_all(rows, ("local", "local-2"), "BTC")
    assert measured_all(rows, ("local",), "BTC")
    assert measured_all(venue_records([*[ONE] * LEAST, *there]), ("local", "local-2"), "BTC")
    assert not venue_records([NONE] * LEAST)["local", "BTC"].is_measured, "nothing was filled or answered"
