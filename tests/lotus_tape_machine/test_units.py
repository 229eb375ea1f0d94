"""Units form a group, time converts exactly, and every column of a frame has a unit of the language."""

import math
from fractions import Fraction

import pytest
from frame_texts import frame_environment
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import ConfigError
from lotus.manifest import Manifest
from lotus.microtape.frames.spec import FLOAT_COLUMNS, FLOAT_NAMES
from lotus.tape_machine.environment import (
    TABLE_UNITS,
    Environment,
    InputColumn,
    Quantity,
    frame_columns,
)
from lotus.tape_machine.units import (
    SPELLINGS,
    SYMBOLS,
    TIME_MS,
    dims_of,
    is_duration,
    product,
    quotient,
    root,
    scaled,
    spell,
    text_of,
    time_ratio,
    unit_of_spelling,
)


@st.composite
def units(draw: st.DrawFn) -> str:
    found = draw(st.dictionaries(st.sampled_from(list(SYMBOLS)), st.integers(-4, 4).filter(bool), max_size=3))
    return text_of(tuple((s, found[s]) for s in SYMBOLS if s in found))


@given(units())
def test_a_text_says_its_exponents(unit: str) -> None:
    assert text_of(dims_of(unit)) == unit


@given(units(), units(), units())
def test_products_form_a_commutative_group(a: str, b: str, c: str) -> None:
    assert product(a, b) == product(b, a)
    assert product(product(a, b), c) == product(a, product(b, c))
    assert product(a, "1") == a
    assert quotient(a, a) == "1"
    assert quotient(product(a, b), b) == a


@given(units())
def test_the_root_of_a_square(unit: str) -> None:
    assert root(product(unit, unit)) == unit


@pytest.mark.parametrize(
    ("found", "unit"),
    [
        (product("bps", "USD"), "bps*USD"),
        (quotient("bps", "min"), "bps/min"),
        (quotient("1", "bps"), "1/bps"),
        (quotient("bps", root("min")), "bps/sqrt(min)"),
        (product(quotient("bps", root("min")), root("min")), "bps"),
        (quotient(quotient("USD", "h"), "lots"), "USD/lots/h"),
        (product("bps", "bps"), "bps^2"),
        (product(root("bps"), "bps"), "bps^1.5"),
    ],
)
def test_canonical_texts(found: str, unit: str) -> None:
    assert found == unit
    assert text_of(dims_of(unit)) == unit


@pytest.mark.parametrize("text", ["metres", "bps/", "", "bps*", "sqrt(bps", "1/1"])
def test_a_symbol_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no symbol"):
        dims_of(text)


def test_powers_are_bounded_and_roots_of_roots_refused() -> None:
    eighth = "1"
    for _ in range(8):
        eighth = product(eighth, "bps")
    with pytest.raises(ConfigError, match="8th power"):
        product(eighth, "bps")
    with pytest.raises(ConfigError, match="root"):
        root(root("bps"))


@given(st.sampled_from([*TIME_MS, "step"]), st.sampled_from([*TIME_MS, "step"]), st.integers(1, 60_000))
def test_time_converts_by_the_exact_ratio(unit: str, target: str, step_ms: int) -> None:
    span = {**TIME_MS, "step": step_ms}
    assert is_duration(unit)
    assert time_ratio(unit, target, step_ms) == float(Fraction(span[unit], span[target]))
    assert time_ratio(quotient("bps", target), quotient("bps", unit), step_ms) == time_ratio(unit, target, step_ms)


@given(units(), units())
def test_only_time_converts(a: str, b: str) -> None:
    def without_time(unit: str) -> list[tuple[str, int]]:
        return [d for d in dims_of(unit) if d[0] not in TIME_MS and d[0] != "step"]

    def powers_of_time(unit: str) -> int:
        return sum(h for s, h in dims_of(unit) if s in TIME_MS or s == "step")

    same = without_time(a) == without_time(b) and powers_of_time(a) == powers_of_time(b)
    ratio = time_ratio(a, b, 200)
    assert (ratio is not None) == same
    if ratio is not None:
        back = time_ratio(b, a, 200)
        assert back is not None
        assert math.isclose(ratio * back, 1.0, rel_tol=1e-14)


def test_the_root_of_time_converts() -> None:
    assert time_ratio("bps/sqrt(h)", "bps/sqrt(min)", 200) == pytest.approx(1 / math.sqrt(60), rel=1e-15)
    assert time_ratio("bps/sqrt(step)", "bps/sqrt(s)", 250) == 2.0


@pytest.mark.parametrize(
    ("written", "spelling", "unit"),
    [
        ("", "", "1"), ("min", "m", "min"), ("m", "m", "min"), ("USD", "usd", "USD"), ("%", "%", "bps"),
        ("bps/m", "bps/min", "bps/min"), ("/bps", "/bps", "1/bps"), ("bps/sqrt(min)", "bps/sqrt(min)", "bps/sqrt(min)"),
        ("min/h", "min/h", "min/h"), ("steps", "step", "step"), ("usd/usd", "usd/USD", "1"), ("%/h", "%/h", "bps/h"),
    ],
)  # fmt: skip
def test_spellings(written: str, spelling: str, unit: str) -> None:
    assert spell(written) == spelling
    assert spell(spelling) == spelling
    assert unit_of_spelling(spelling) == unit


@pytest.mark.parametrize("word", SPELLINGS)
def test_every_spelling_is_stable(word: str) -> None:
    assert spell(spell(word)) == spell(word)
    assert unit_of_spelling(spell(word)) == ("bps" if word == "%" else SPELLINGS[word])


def test_a_percentage_is_a_hundred_bps_in_decimal_arithmetic() -> None:
    assert [scaled(v, "%") for v in (0.15, 0.07, 1.1, 0.29)] == [15.0, 7.0, 110.0, 29.0]
    assert scaled(0.07, "bps") == 0.07


def test_every_float_column_of_a_frame_has_a_canonical_unit() -> None:
    columns = frame_columns()
    assert tuple(columns) == FLOAT_NAMES
    assert [c.index for c in columns.values()] == list(range(len(FLOAT_NAMES)))
    for column in FLOAT_COLUMNS:
        unit = columns[column.name].unit
        assert unit == TABLE_UNITS[column.unit]
        assert text_of(dims_of(unit)) == unit
        assert (columns[column.name].kind == "flag") == (column.unit == "0/1")
    assert columns["rv_bps"].unit == "bps/sqrt(min)"
    assert columns["funding_bps_h"].unit == "bps/h"


def test_no_mapping_of_a_unit_is_left_over() -> None:
    assert {c.unit for c in FLOAT_COLUMNS} == set(TABLE_UNITS)


def test_frames_give_the_length_of_a_step() -> None:
    environment = frame_environment(Manifest(), {"span": Quantity(5.0, "min")})
    assert environment.step_ms == Manifest().kernel.cadence_ms
    assert environment.known[-1] == "span"


@pytest.mark.parametrize("name", ["mean", "h", "usd", "and", "a b", "3x", "x.y", "é", ""])
def test_names_that_could_not_be_written_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="the name"):
        Environment({name: InputColumn(0, "1")}, 200)


def test_a_name_has_one_meaning_and_a_known_unit() -> None:
    with pytest.raises(ConfigError, match="twice"):
        Environment({"x": InputColumn(0, "1")}, 200, {"x": Quantity(1.0)})
    with pytest.raises(ConfigError, match="furlong"):
        Environment({"x": InputColumn(0, "furlong")}, 200)
    with pytest.raises(ConfigError, match="0 ms"):
        Environment({}, 0)
