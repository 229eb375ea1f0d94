"""The table of capacity: what grows with coins and hours grows so, and frames that are dropped stop growing."""

import pytest

from lotus_resources.fleet.capacity import HomeRates, capacity

RATES = HomeRates(2, 3, 48.0, 4.8e6, 9.6e9, 1e6, 4.8e9, 2.4e9, 3600.0, 7200.0)


def rows(symbols: int, years: float) -> dict[str, tuple[float, float, float | None]]:
    return {r.what: (r.a_day, r.in_all, r.usd) for r in capacity(RATES, symbols, years, 20.0, 0.1)}


def test_rates_of_a_coin_hour_are_scaled_by_coins_hours_and_years() -> None:
    one, ten = rows(2, 1.0), rows(20, 1.0)
    assert one["messages"][0] == pytest.approx(4.8), "2 coins around the clock are 48 coin-hours a day"
    assert one["tape"] == pytest.approx((9.6, 9.6 * 365.25, 9.6 * 365.25 * 0.02))
    assert one["scores and learning"] == pytest.approx((2.0, 730.5, 73.05))
    assert all(ten[name][0] == pytest.approx(10 * one[name][0]) for name in one)


def test_frames_that_are_kept_for_92_days_do_not_grow_with_years() -> None:
    kept = "frames, 92 days kept"
    assert rows(2, 5.0)[kept] == rows(2, 1.0)[kept]
    assert rows(2, 5.0)["frames, all kept"][1] == pytest.approx(5 * rows(2, 1.0)["frames, all kept"][1])
    assert rows(2, 0.1)[kept] == rows(2, 0.1)["frames, all kept"]
