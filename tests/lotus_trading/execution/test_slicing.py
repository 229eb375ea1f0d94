"""Schedules sum exactly, in lots, above the minimum value, in order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trading_plans import BTC, plan

from lotus.errors import ConfigError
from lotus.manifest import Asset
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD
from lotus.trading.execution.slicing import least_lots, schedule

D = Decimal


@given(
    st.sampled_from(["twap", "iceberg"]),
    st.integers(1, 500_000),
    st.integers(0, 5),
    st.integers(1, 40),
    st.integers(1, 600_000),
    st.decimals("0.01", "200000", places=2),
    st.floats(0.5, 2.0),
    st.floats(0.0, 0.5),
    st.integers(0, 1_000),
)
def test_slices_are_lots_that_sum_exactly(
    strategy: str, lots: int, decimals: int, count: int, ms: int, px: D, share: float, jitter: float, seed: int
) -> None:
    asset = Asset("X", decimals)
    size = D(lots).scaleb(-decimals)
    made = plan(strategy=strategy, size=size, slices=count, duration_ms=ms, seed=seed)
    slices = schedule(made, asset, px, share, jitter)
    assert sum(s.size for s in slices) == size
    assert 1 <= len(slices) <= max(1, round(count / share))
    assert all(s.size > 0 and s.size == s.size.quantize(D(1).scaleb(-decimals)) for s in slices)
    if len(slices) > 1:
        assert all(s.size * px >= MIN_NOTIONAL_USD for s in slices)
    times = [s.after_ms for s in slices]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] < ms if strategy == "twap" else not any(times)
    assert schedule(made, asset, px, share, jitter) == slices


def test_without_jitter_slices_are_even_and_another_seed_is_another_schedule() -> None:
    made = plan(strategy="twap", slices=4, duration_ms=4_000)
    slices = schedule(made, BTC, D(100_000))
    assert [s.size for s in slices] == [D("0.00250")] * 4
    assert [s.after_ms for s in slices] == [0, 1_000, 2_000, 3_000]
    jittered = {
        schedule(plan(strategy="twap", slices=4, duration_ms=4_000, seed=s), BTC, D(100_000), 1.0, 0.5)
        for s in range(5)
    }
    assert len(jittered) == 5
    names = {schedule(plan(strategy="twap", slices=4, plan_id=n), BTC, D(100_000), 1.0, 0.5) for n in ("a", "b")}
    assert len(names) == 1  # nothing but the seed


@pytest.mark.parametrize("strategy", ["market", "limit"])
def test_market_and_limit_are_one_slice(strategy: str) -> None:
    (only,) = schedule(plan(strategy=strategy, slices=9), BTC, D(100_000))
    assert (only.size, only.after_ms) == (D("0.01"), 0)


def test_what_cannot_be_scheduled_is_an_error() -> None:
    with pytest.raises(ConfigError, match="vwap"):
        schedule(plan(strategy="vwap"), BTC, D(1))
    with pytest.raises(ConfigError, match="lot"):
        schedule(plan(size=D("0.000001")), BTC, D(1))
    assert least_lots(Asset("X", 0), D("0.3")) == 34
