"""The exchange's rule of prices and sizes, digit by digit, against the arithmetic of the venue's statement of it."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus_venues.local_exchange.engine.rules import price_units, size_lots

prices = st.decimals(min_value=Decimal("0.000001"), max_value=Decimal(2_000_000), allow_nan=False, places=7)


def tick_at(px: Decimal, decimals: int) -> Decimal:
    """The step of five significant figures, not finer than the decimals, not coarser than 1."""
    return Decimal(10) ** min(0, max(px.adjusted() - 4, -decimals))


@given(st.integers(1, 6), prices)
def test_legal_prices_are_the_multiples_of_the_tick(decimals: int, px: Decimal) -> None:
    units, error = price_units(format(px, "f"), decimals)
    assert (error == "") == (px % tick_at(px, decimals) == 0)
    if not error:
        assert units == px.scaleb(decimals)


@given(st.integers(1, 6), prices)
def test_a_price_rounded_to_the_tick_is_legal(decimals: int, px: Decimal) -> None:
    tick = tick_at(px, decimals)
    rounded = (px / tick).to_integral_value() * tick
    if rounded > 0:
        assert price_units(format(rounded, "f"), decimals) == (int(rounded.scaleb(decimals)), "")


@given(st.integers(0, 5), st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=6))
def test_legal_sizes_are_the_multiples_of_the_lot(decimals: int, size: Decimal) -> None:
    lots, error = size_lots(format(size, "f"), decimals)
    assert (error == "") == (size > 0 and size % Decimal(10) ** -decimals == 0)
    assert error or lots == size.scaleb(decimals)


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
