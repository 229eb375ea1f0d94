"""Values for JSON: strict JSON comes out of whatever goes in."""

import json

from hypothesis import given
from hypothesis import strategies as st

from lotus_store.json_values import plain

NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(NESTED)
def test_it_is_strict_json_and_only_what_is_no_number_changes(value: object) -> None:
    text = json.dumps(plain(value), allow_nan=False)
    assert json.loads(text) == json.loads(json.dumps(value), parse_constant=lambda _: None)
