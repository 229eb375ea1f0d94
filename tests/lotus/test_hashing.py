"""Hashes of content and natural keys: what is equal hashes alike however it is held, what differs does not."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lotus.hashing import Utf8Column, content_hash, key64, natural_id, round_learned

TEXTS = st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=3), min_size=1, max_size=4)
PARTS = st.lists(st.one_of(st.text(max_size=4), st.integers(-9, 9), st.booleans()), max_size=3)


@given(PARTS, PARTS)
def test_two_keys_share_an_identity_only_when_they_are_the_same_of_the_same_types(a: list, b: list) -> None:
    same = [(type(x), x) for x in a] == [(type(x), x) for x in b]
    assert (natural_id(*a) == natural_id(*b)) == same
    assert key64(*a) == int(natural_id(*a)[:16], 16)


def test_a_column_hashes_by_its_values_and_not_by_its_memory() -> None:
    values = np.arange(6.0)
    plain = content_hash({"x": values})
    assert content_hash({"x": np.repeat(values, 2)[::2]}) == plain
    assert content_hash({"x": values.astype(">f8")}) == plain
    assert content_hash({"x": values.astype("f4")}) != plain
    assert content_hash({"y": values}) != plain
    other = np.array([0x7FF8000000000001], np.uint64).view(np.float64)
    assert content_hash({"x": other}) == content_hash({"x": np.array([math.nan])})


@given(TEXTS, TEXTS)
def test_texts_are_told_apart_by_their_borders(a: list[str], b: list[str]) -> None:
    assert (content_hash({"x": a}) == content_hash({"x": b})) == (a == b)
    raw = [text.encode() for text in a]
    stored = Utf8Column(np.array([len(text) for text in raw], np.uint32), b"".join(raw))
    assert len(stored) == len(a)
    assert content_hash({"x": stored}) == content_hash({"x": a})


@given(st.floats(-1e300, 1e300), st.integers(3, 12))
def test_learned_numbers_keep_their_leading_digits_and_rounding_them_again_changes_nothing(x: float, n: int) -> None:
    (once,) = round_learned(np.array([x]), n)
    assert abs(once - x) <= 0.5000001 * 10.0 ** (1 - n) * abs(x)
    assert round_learned(np.array([[once]]), n).tolist() == [[once]]
