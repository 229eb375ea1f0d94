"""Pictures in characters: an interval lies where it is, is cut where it goes on, and curves keep to their frame."""

from hypothesis import given
from hypothesis import strategies as st

from lotus_cli.terminal.text_plot import AXIS, CUT_LEFT, CUT_RIGHT, POINT, curves, whisker

NUMBERS = st.integers(-10_000, 10_000).map(lambda cents: cents / 100)


@given(st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted), st.integers(4, 20))
def test_an_interval_mirrors_with_its_numbers_and_shows_what_is_cut(interval: list[float], half: int) -> None:
    low, value, high = interval
    text = whisker(low, value, high, 50.0, 2 * half + 1)
    assert len(text) == 2 * half + 1
    swapped = text[::-1].translate(str.maketrans(CUT_LEFT + CUT_RIGHT, CUT_RIGHT + CUT_LEFT))
    assert whisker(-high, -value, -low, 50.0, 2 * half + 1) == swapped
    assert (text[0] == CUT_LEFT) == (low < -50.0)
    assert (text[-1] == CUT_RIGHT) == (high > 50.0)
    assert text[half] in (AXIS, POINT)


@given(st.lists(NUMBERS, min_size=1, max_size=60), st.integers(30, 100))
def test_curves_keep_to_their_width_and_have_a_line_for_zero(values: list[float], width: int) -> None:
    lines = curves({"net": values, "gross": values[::-1]}, width)
    assert sum("┼" in line for line in lines) == 1
    assert max(map(len, lines)) <= width
    assert len(lines) <= 11
    assert any("n" in line or "g" in line for line in lines)
