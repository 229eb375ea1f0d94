"""Envelopes: reproducible, closed, and any altered byte is noticed."""

import json
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.hashing import natural_id
from lotus.modules.envelope import Message, RefusedError, open_envelope, seal, ulid
from lotus.modules.intents import Intent, Module, Reason


def message(**changes: object) -> Message:
    values = {
        "to": (Module.DM,),
        "intent": Intent.ALPHA_PROPOSED,
        "branch": "main",
        "schema_ref": "urn:schema:sig.alpha:v1",
        "payload": {"s": 0.25},
        "ts": 1_735_689_600_000,
        "dedupe_key": natural_id("a"),
        "lifecycle_id": "thread",
    }
    return Message(**(values | changes))  # type: ignore[arg-type]


def test_equal_messages_make_equal_bytes() -> None:
    first, second = (seal(message(), Module.SIG, 3, "r") for _ in range(2))
    assert first.to_json() == second.to_json()
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", first.event_id)
    assert json.loads(first.to_json())["from"] == "sig"
    assert open_envelope(first.to_json()) == first


def test_ulids_order_by_time() -> None:
    names = [ulid(t, natural_id(t)) for t in (0, 1, 10**12, 2**48 - 1)]
    assert names == sorted(names)
    assert len({ulid(5, natural_id(k)) for k in range(100)}) == 100


@given(st.data())
def test_any_altered_byte_is_noticed_or_changes_what_is_signed(data: st.DataObject) -> None:
    sealed = seal(message(), Module.SIG, 1, "r")
    text = sealed.to_json()
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != text[at]))
    altered = text[:at] + other + text[at + 1 :]
    with suppress(RefusedError):
        found = open_envelope(altered)
        assert found.signed_text() != sealed.signed_text() or found == sealed or found.sig != sealed.sig


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"intent": "HELLO"},
        {"from": "me"},
        {"to": []},
        {"priority": 3},
        {"seq": 0},
        {"event_id": "x"},
        {"schema": "lotus-envelope-2"},
        {"dedupe_key": ""},
        {"ts": "now"},
        {"schema_ref": "prior_patch"},
    ],
)
def test_other_forms_are_refused(change: dict[str, object]) -> None:
    plain = json.loads(seal(message(), Module.SIG, 1, "r").to_json()) | change
    with pytest.raises(RefusedError) as refused:
        open_envelope(json.dumps(plain))
    assert refused.value.reason is Reason.BAD_ENVELOPE


def test_a_missing_field_and_garbage_are_refused() -> None:
    plain = json.loads(seal(message(), Module.SIG, 1, "r").to_json())
    for text in ("", "{}", "[1]", "nul", json.dumps({k: v for k, v in plain.items() if k != "hash"})):
        with pytest.raises(RefusedError):
            open_envelope(text)


def test_an_altered_payload_does_not_hash() -> None:
    plain = json.loads(seal(message(), Module.SIG, 1, "r").to_json())
    plain["payload"]["s"] = 0.26
    with pytest.raises(RefusedError) as refused:
        open_envelope(json.dumps(plain))
    assert refused.value.reason is Reason.BAD_HASH
