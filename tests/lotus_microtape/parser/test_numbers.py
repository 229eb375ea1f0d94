"""Numbers of the wire: decimals exact, integers, and what is refused."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.microtape.parser.numbers import decimal_at, integer_at, signed_decimal_at
from lotus.microtape.wire.reasons import QuarantineReason
from lotus.microtape.wire.units import RefusedValue, units

_NUMBERS = st.one_of(
    st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,14})?", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,5}\.[0-9]{1,3}", fullmatch=True),
    st.text("0123456789.-e+", max_size=12),
)


@settings(max_examples=examples(600), deadline=None)
@given(_NUMBERS, st.integers(0, 12), st.booleans())
@example("3495670.8399999999", 1, False)
@example("0.5", 0, False)
@example("00.10", 1, True)
def test_decimals_are_exact(text: str, decimals: int, exact: bool) -> None:
    buf = np.frombuffer(text.encode() + b'"\n', dtype=np.uint8)
    value, end = decimal_at(buf, 0, decimals, exact)
    if end < 0:
        return
    assert end == len(text) + 1
    scaled = Decimal(text).scaleb(decimals)
    assert value == int(scaled.to_integral_value(ROUND_HALF_UP)) == units(text, decimals, exact=exact)
    if exact:
        assert scaled == value


@settings(max_examples=examples(300), deadline=None)
@given(st.text("0123456789.-", max_size=10), st.integers(0, 12))
def test_signed_decimals_match_the_general_conversion(text: str, decimals: int) -> None:
    value, end = signed_decimal_at(np.frombuffer(text.encode() + b'"\n', dtype=np.uint8), 0, decimals)
    if end >= 0:
        assert value == units(text, decimals, signed=True)


@settings(max_examples=examples(200), deadline=None)
@given(st.text("0123456789", min_size=1, max_size=22))
def test_integers(text: str) -> None:
    value, end = integer_at(np.frombuffer(text.encode() + b",\n", dtype=np.uint8), 0)
    plain = str(int(text)) == text and len(text) <= 18
    assert (end == len(text) and value == int(text)) if plain else end < 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", QuarantineReason.NOT_A_NUMBER),
        ("inf", QuarantineReason.NOT_A_NUMBER),
        ("1e400", QuarantineReason.HUGE_NUMBER),
        ("9007199254740993", QuarantineReason.HUGE_NUMBER),
        ("1e-999999", QuarantineReason.PRICE_UNIT),
        ("-1", QuarantineReason.NEGATIVE),
        ("1_0", QuarantineReason.NOT_A_NUMBER),
        ("", QuarantineReason.NOT_A_NUMBER),
    ],
)
def test_refused_numbers(text: str, reason: QuarantineReason) -> None:
    with pytest.raises(RefusedValue) as caught:
        units(text, 0, exact=True)
    assert caught.value.reason is reason
