"""The exchange's rule of prices and sizes, digit by digit, against the arithmetic of Lotus's own rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.manifest import Asset
from lotus_venues.hyperliquid.rounding import is_valid_px, is_valid_size, px_units, round_px, round_size
from lotus_venues.hyperliquid.rounding import size_lots as lots_by_arithmetic
from lotus_venues.local_exchange.rules import price_units, size_lots

prices = st.decimals(min_value=Decimal("0.000001"), max_value=Decimal(2_000_000), allow_nan=False, places=7)


@given(st.integers(0, 5), prices)
def test_both_rules_allow_the_same_prices(decimals: int, px: Decimal) -> None:
    asset = Asset("X", decimals)
    units, error = price_units(format(px, "f"), asset.px_decimals)
    assert (error == "") == is_valid_px(asset, px)
    if not error:
        assert units == px_units(asset, px)


@given(st.integers(0, 5), prices)
def test_a_rounded_price_is_allowed(decimals: int, px: Decimal) -> None:
    asset = Asset("X", decimals)
    rounded = round_px(asset, px)
    if rounded > 0:
        assert price_units(format(rounded, "f"), asset.px_decimals) == (px_units(asset, rounded), "")


@given(st.integers(0, 5), st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=6))
def test_both_rules_allow_the_same_sizes(decimals: int, size: Decimal) -> None:
    asset = Asset("X", decimals)
    lots, error = size_lots(format(size, "f"), decimals)
    assert (error == "") == is_valid_size(asset, size)
    rounded = round_size(asset, size)
    assert error or lots == lots_by_arithmetic(asset, rounded)


@pytest.mark.parametrize(
    ("text", "decimals", "legal"),
    [
        ("123456", 1, True),
        ("12345.6", 1, False),
        ("1234.5", 2, True),
        ("1234.56", 2, False),
        ("0.001234", 6, True),
        ("0.0012345", 6, False),
        ("0.012345", 6, True),
        ("0.0123456", 7, False),
        ("100000.0", 1, True),
        ("1000001", 0, True),
        ("00100", 1, True),
        ("", 1, False),
        (".5", 1, False),
        ("٣", 1, False),
    ],
)
def test_prices_by_hand(text: str, decimals: int, legal: bool) -> None:
    assert (price_units(text, decimals)[1] == "") is legal
