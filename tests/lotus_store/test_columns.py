"""Columns of names: places and codes agree with a plain search, whatever texts there are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lotus_store.columns import coded, concatenated, places_of

TEXTS = st.lists(st.text(max_size=3), max_size=12)


@given(TEXTS, TEXTS)
def test_places_are_those_of_a_plain_search(asked: list[str], names: list[str]) -> None:
    unique = list(dict.fromkeys(names))
    found = places_of(np.array(asked, object), np.array(unique, object))
    assert found.tolist() == [unique.index(x) if x in unique else -1 for x in asked]


@given(TEXTS)
def test_codes_give_the_texts_back(texts: list[str]) -> None:
    different, at = coded(np.array(texts, object))
    assert different == list(dict.fromkeys(texts))
    assert [different[k] for k in at] == texts


def test_tables_one_after_the_other_keep_their_types() -> None:
    parts = [{"x": np.array([1], np.int16)}, {"x": np.array([2, 3], np.int16)}]
    joined = concatenated(parts)
    assert (joined["x"].tolist(), joined["x"].dtype) == ([1, 2, 3], np.int16)
