"""JSON from outside: whatever the text, a value or one error; nesting is counted as a decoder sees it."""

import contextlib
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.atlas.rows import UNREADABLE, row_of_message
from lotus.json_text import MAX_DEPTH, MAX_TEXT_BYTES, UnreadableJson, nesting, read_json, too_deep
from lotus.modules.envelope import RefusedError, open_envelope
from lotus.modules.intents import Module

SCALARS = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=40)


def depth(value: object) -> int:
    """Return the nesting of a value, by walking it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.booleans())
def test_nesting_is_that_of_the_value(value: object, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert nesting(raw) == depth(value)


@given(VALUES)
def test_what_is_written_is_read(value: object) -> None:
    text = json.dumps(value)
    assert read_json(text) == read_json(text.encode()) == json.loads(text)


@given(st.binary() | st.text(alphabet='[]{}":,\\0 a').map(str.encode))
def test_any_bytes_are_a_value_or_one_error(raw: bytes) -> None:
    with contextlib.suppress(UnreadableJson):
        read_json(raw)


@pytest.mark.parametrize("deep", [MAX_DEPTH + 1, 1_100, 200_000])
@pytest.mark.parametrize("form", ["[%s]", '{"a":%s}'])
@pytest.mark.parametrize("is_cut", [False, True])
def test_deep_text_is_refused_and_never_recurses(deep: int, form: str, is_cut: bool) -> None:
    head, tail = form.split("%s")
    text = head * deep + ("" if is_cut else "1" + tail * deep)
    assert too_deep(text.encode())
    with pytest.raises(UnreadableJson, match="deeper than 64"):
        read_json(text)


def test_the_deepest_text_allowed_is_read() -> None:
    assert depth(read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)) == MAX_DEPTH


@pytest.mark.parametrize("text", ["", "1" * 5_000, "\ud800", b"\xff\xfe[\x00]\x00", b'"\xff"', "[1", "nul"])
def test_odd_texts_are_refused(text: str | bytes) -> None:
    with pytest.raises(UnreadableJson):
        read_json(text)


def test_a_huge_text_is_refused_unread() -> None:
    with pytest.raises(UnreadableJson, match="at most"):
        read_json(b" " * (MAX_TEXT_BYTES + 1))


@pytest.mark.parametrize("deep", [65, 900, 1_100, 200_000])
def test_a_deep_envelope_is_none_to_every_reader(deep: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    text = '{"payload":' + "[" * deep + "]" * deep + "}"
    with pytest.raises(RefusedError, match="deeper than 64"):
        open_envelope(text)
    assert row_of_message(Module.SIG, "e", text, 1, "dead", now).kind == UNREADABLE
