"""Fees by tier, rounded as the venue does."""

from decimal import Decimal

import pytest

from lotus.errors import ConfigError
from lotus.manifest import Asset
from lotus.trading.execution.rounding import is_valid_px, round_px, round_size, tick_of
from lotus_venues.fees import taker_fee_bps
from lotus_venues.paper import order_size

BTC = Asset("BTC", 5)


def test_rounding_and_fees() -> None:
    assert tick_of(Asset("SOL", 2), Decimal("209.1")) == Decimal("0.01")
    assert is_valid_px(BTC, Decimal("123456"))
    assert not is_valid_px(BTC, Decimal("12345.6"))
    assert round_px(Asset("ETH", 4), Decimal("4344.17")) == Decimal("4344.2")
    assert round_size(BTC, Decimal("0.0123456")) == Decimal("0.01234")
    assert order_size(BTC, 1000.0, 2_000_010) == Decimal("0.00999")
    assert taker_fee_bps(0) == 4.5
    with pytest.raises(ConfigError):
        taker_fee_bps(9)
