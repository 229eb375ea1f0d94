"""The table of columns is the law: ranges and null rules of every column, generated from it, on every kind of tape."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from frame_tapes import TAPES, expected, tape

from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import FLOAT_COLUMNS, INT_COLUMNS, MICROTAPE_FRAMES, QUALITY_BITS, FrameColumn, Null

COLUMNS = INT_COLUMNS + FLOAT_COLUMNS
FACTS = {
    Null.QUOTE: "has_quote",
    Null.SIZE: "has_size",
    Null.RETURN: "has_return",
    Null.ANY_RETURN: "has_any_return",
    Null.SHOWN: "has_shown",
    Null.NEAR: "has_near",
    Null.DEEP_SIDES: "has_deep_sides",
    Null.DEEP_SLOPE: "has_slope",
    Null.DEEP: "has_deep",
    Null.FAST: "has_fast",
    Null.CTX: "has_ctx",
    Null.OI: "has_oi",
    Null.OI_TWICE: "has_oi_twice",
    Null.FUNDING: "has_funding",
    Null.BASIS: "has_basis",
    Null.TRADED: "has_volume",
    Null.VWAP: "has_vwap",
    Null.BAR: "has_bar",
    Null.RANKED: "has_ranks",
}


@cache
def case(name: str) -> tuple[list[dict[str, np.ndarray]], list[pd.DataFrame]]:
    """Return the columns of every asset of a tape, and beside each the facts."""
    batch, universe = tape(name)
    frames = build_frames(batch, Manifest(), universe)
    facts = [expected(name, index) for index in range(len(universe))]
    return [frames.columns(index) for index in range(len(universe))], facts


def known(rule: Null, facts: pd.DataFrame) -> np.ndarray:
    """Return the frames in which a column of this rule has a value."""
    if rule is Null.NEVER:
        return np.ones(len(facts), np.bool_)
    if rule is Null.VOLUME:
        return (facts["has_median"] | ~facts["has_volume"]).to_numpy(bool)
    return facts[FACTS[rule]].to_numpy(bool)


@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_column_is_null_by_its_rule_and_else_within_its_range(name: str, column: FrameColumn) -> None:
    for columns, facts in zip(*case(name), strict=True):
        values = columns[column.name]
        assert values.dtype == np.dtype(column.dtype)
        present = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), np.bool_)
        assert np.array_equal(present, known(column.null, facts))
        assert np.all(np.isfinite(values[present]))
        assert column.low is None or np.all(values[present] >= column.low)
        assert column.high is None or np.all(values[present] <= column.high)


def test_every_null_rule_holds_and_fails_somewhere() -> None:
    """A rule that never applies would not be tested by the tapes."""
    assert {column.null for column in COLUMNS} == set(Null)
    facts = pd.concat([part for name in TAPES[:3] for part in case(name)[1]])
    for rule in set(Null) - {Null.NEVER}:
        assert 0 < known(rule, facts).mean() < 1, rule


def test_the_schema_says_what_the_table_says() -> None:
    assert MICROTAPE_FRAMES.names == tuple(column.name for column in COLUMNS)
    for column, stored in zip(COLUMNS, MICROTAPE_FRAMES.columns, strict=True):
        assert column.unit
        assert column.formula
        assert (stored.low, stored.high, stored.unit) == (column.low, column.high, column.unit)
        assert stored.nullable == (column.null is not Null.NEVER)
        assert stored.nullable == (f"; null {column.null}" in stored.doc)


def test_quality_bits_are_one_bit_each() -> None:
    assert [bit for _, bit, _ in QUALITY_BITS] == [1 << k for k in range(len(QUALITY_BITS))]
