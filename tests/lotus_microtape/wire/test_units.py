"""Decimal strings of the venue become exact integers, or a reason to put the line aside."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.microtape.wire.reasons import QuarantineReason
from lotus.microtape.wire.units import MAX_INTEGER, RefusedValue, integer, price, units

NUMBERS = st.decimals(-(10**9), 10**9, places=9)


@settings(deadline=None)
@given(NUMBERS, st.integers(0, 6))
def test_units_round_half_away_from_zero(number: Decimal, decimals: int) -> None:
    expected = int((number * 10**decimals).to_integral_value(ROUND_HALF_UP))
    assert units(str(number), decimals, signed=True) == expected


@settings(deadline=None)
@given(st.integers(1, 10**12), st.integers(0, 6))
def test_a_price_on_its_unit_comes_back(ticks: int, decimals: int) -> None:
    assert price(str(Decimal(ticks).scaleb(-decimals)), decimals) == ticks


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", QuarantineReason.NOT_A_NUMBER),
        ("1.", QuarantineReason.NOT_A_NUMBER),
        ("NaN", QuarantineReason.NOT_A_NUMBER),
        (" 1", QuarantineReason.NOT_A_NUMBER),
        ("1e999999", QuarantineReason.HUGE_NUMBER),
        ("9007199254740993", QuarantineReason.HUGE_NUMBER),
        ("-0.1", QuarantineReason.NEGATIVE),
        ("0", QuarantineReason.NEGATIVE),
        ("0.11", QuarantineReason.PRICE_UNIT),
        ("1e-900000", QuarantineReason.PRICE_UNIT),
    ],
)
def test_a_text_that_is_no_price_is_refused_with_its_reason(text: str, reason: QuarantineReason) -> None:
    with pytest.raises(RefusedValue) as refused:
        price(text, 1)
    assert refused.value.reason is reason


def test_a_size_may_be_zero_and_finer_than_its_unit() -> None:
    assert units("0", 5) == 0
    assert units("0.000004", 5) == 0
    assert units("0.000005", 5) == 1
    assert units("1e-900000", 5) == 0


def test_an_integer_ends_where_the_kernels_do() -> None:
    assert integer(MAX_INTEGER - 1) == MAX_INTEGER - 1
    for value, reason in ((MAX_INTEGER, QuarantineReason.HUGE_NUMBER), (-1, QuarantineReason.NEGATIVE)):
        with pytest.raises(RefusedValue) as refused:
            integer(value)
        assert refused.value.reason is reason
