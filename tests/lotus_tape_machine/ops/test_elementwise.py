"""Operations without state against plain Python on every pairing of nasty values."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from ..oracle import NASTY, NULL, ROW_WISE, column, equal_bits, node, of_columns, run

VALUES = (*NASTY, 0.5, -3.0, 700.0, -800.0)
ARITY = {"clip": 3, "where": 3} | dict.fromkeys(("neg", "abs", "sign", "log", "sqrt", "logistic", "not", "known"), 1)
FLAGS = ("and", "or", "not", "where")


@pytest.mark.parametrize("op", sorted(ROW_WISE))
def test_every_pairing_of_nasty_values(op: str) -> None:
    arity = ARITY.get(op, 2)
    values = [(0.0, 1.0) if op in FLAGS and (op != "where" or k == 0) else VALUES for k in range(arity)]
    columns = [np.array(c) for c in zip(*product(*values), strict=True)]
    found = run(node(op, *map(column, range(arity))), *columns)
    wanted = of_columns(op, [np.where(np.isfinite(c), c, NULL) for c in columns])
    if op in ("log", "logistic"):
        np.testing.assert_allclose(found, wanted, rtol=1e-14, atol=1e-300)
    else:
        np.testing.assert_array_equal(found, wanted)
    assert not np.isinf(found).any()


@pytest.mark.parametrize("op", ["add", "mul", "and", "or", "eq", "ne"])
def test_commutative_operations_do_not_see_the_order(op: str) -> None:
    values = [v for v in VALUES if v == v]
    a, b = (np.array(c) for c in zip(*product(values, values), strict=True))
    assert equal_bits(run(node(op, column(0), column(1)), a, b), run(node(op, column(1), column(0)), a, b))


def test_all_nulls_have_the_same_bits() -> None:
    strange = np.array([-math.nan, math.inf, np.frombuffer(b"\x01\0\0\0\0\0\xf8\xff", np.float64)[0]])
    for op in ("neg", "abs", "sqrt", "log", "sign"):
        assert equal_bits(run(node(op, column(0)), strange), np.full(3, math.nan))
    assert equal_bits(run(column(0), strange), np.full(3, math.nan))
    assert equal_bits(run(node("div", column(0), column(0)), np.zeros(3)), np.full(3, math.nan))


def test_comparison_with_a_null_is_false_and_its_negation_true() -> None:
    null = node("const", params=(NULL,))
    for op in ("lt", "le", "gt", "ge", "eq", "ne"):
        compared = node(op, column(0), null)
        assert run(compared, np.array([1.0, NULL])).tolist() == [0.0, 0.0]
        assert run(node("not", compared), np.array([1.0, NULL])).tolist() == [1.0, 1.0]


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.lists(st.one_of(st.just(NULL), st.floats(-1e6, 1e6)), min_size=3, max_size=3), min_size=1))
def test_dot_skips_nulls(rows: list[list[float]]) -> None:
    weights = np.array([0.5, -2.0, 3.0])
    table = np.array(rows)
    found = run(node("dot", column(0), column(1), column(2), params=weights), *table.T)
    for row, value in zip(table, found, strict=True):
        known = row == row
        assert (value != value) == (not known.any())
        if known.any():
            terms = row[known] * weights[known]
            assert value == pytest.approx(math.fsum(terms), rel=1e-12, abs=1e-12 * np.abs(terms).sum())
