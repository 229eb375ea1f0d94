"""Conditions of Arrow's filters: what is recognised, and that nothing is which excludes a row the filter takes."""

import operator
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from lotus_store.views.pushdown import ColumnCondition, conditions

WORDS = st.text(alphabet='ab"\\ ()and=', max_size=8)
TEXT = st.builds(lambda op, v: op(pc.field("t"), v), st.sampled_from([operator.eq, operator.ge, operator.lt]), WORDS)
NUMBER = st.builds(
    lambda op, v: op(pc.field("n"), v), st.sampled_from([operator.eq, operator.gt, operator.le]), st.integers(-3, 3)
)
LEAF = TEXT | NUMBER | st.builds(lambda v: pc.field("t").isin(v), st.lists(WORDS, min_size=1, max_size=3))
FILTERS = st.recursive(
    LEAF,
    lambda inner: (
        st.builds(operator.and_, inner, inner)
        | st.builds(operator.or_, inner, inner)
        | st.builds(operator.invert, inner)
    ),
    max_leaves=6,
)
ROWS = pa.table({
    "t": ["", "a", "b", "ab", 'a"b', "a and b", ") and (t == ", "\\", "(", "a=b", None],
    "n": [-3, -2, -1, 0, 1, 2, 3, None, 1, 0, 2],
})  # fmt: skip


@given(FILTERS)
def test_every_row_that_a_filter_takes_meets_the_conditions(expression: pc.Expression) -> None:
    found = conditions(str(expression))
    for row in ROWS.filter(expression).to_pylist():
        assert all(c.holds(row[c.column]) for c in found)


def test_conjunctions_are_recognised_beside_what_is_not() -> None:
    parts = [pc.field("t") == "main", pc.field("t").isin(["a", "b"]), pc.field("n") >= -5, pc.field("x") > 0.5]
    parts += [(pc.field("n") == 1) | (pc.field("n") == 2), pc.field("t") < 'a"b']
    found = conditions(str(reduce(operator.and_, parts)))
    assert found == [
        ColumnCondition("t", "==", "main"),
        ColumnCondition("t", "in", ("a", "b")),
        ColumnCondition("n", ">=", -5),
    ]


def test_a_long_or_odd_text_is_no_condition_or_a_true_one() -> None:
    for text in ("x" * 5000, "a\nb", "ü", "a\x00b", "...", 'a" and (n == 5) and "'):
        assert {c.value for c in conditions(str(pc.field("t") == text))} <= {text}
