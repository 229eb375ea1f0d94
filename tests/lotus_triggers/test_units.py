"""Units of triggers: converted exactly by decimal arithmetic, or None where the quantity is another one."""

import math

from hypothesis import given
from hypothesis import strategies as st
from triggers_page import MEANINGS

from lotus.triggers.units import SPELLINGS, converted


@given(st.integers(0, 10_000), st.sampled_from((("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("s", 1_000))))
def test_times_become_whole_milliseconds(count: int, unit: tuple[str, int]) -> None:
    assert converted(float(count), unit[0], "ms") == count * unit[1]


def test_what_a_float_would_blur_is_exact_and_what_is_too_large_is_none() -> None:
    assert converted(0.07, "%", "bps") == 7.0 != 0.07 * 100
    assert converted(math.nextafter(math.inf, 0.0), "%", "bps") is None


def test_other_quantities_are_none_and_every_spelling_has_a_meaning() -> None:
    assert converted(2.0, "sigma", "bps") is converted(1.0, "bps", "%") is converted(1.0, "ms", "usd") is None
    assert set(SPELLINGS.values()) - {""} == set(MEANINGS)
    assert all(converted(3.0, unit, unit) == 3.0 for unit in MEANINGS)
