"""Payloads by schema reference: the form and nothing else, of one mind with the JSON Schemas."""

import json
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Module
from lotus.modules.messages.catalogue import decoded, form_of, received_by, sent_by

ROOT = Path(__file__).resolve().parents[4]
EXAMPLES: dict[str, Any] = {
    "string": "word", "integer": 1, "number": 0.5, "boolean": True, "object": {"a": 1},
}  # fmt: skip
PATTERNS = {"^[0-9a-f]{32}$": "0" * 32, r"^\d{4}-\d{2}-\d{2}$": "2025-01-01"}
SENT = {ref: kind for module in Module for ref, kind in sent_by(module).items()}


def member(part: dict[str, Any]) -> Any:
    if "enum" in part:
        return part["enum"][0]
    if part["type"] == "array":
        return [member(part["items"])]
    return PATTERNS.get(part.get("pattern", ""), EXAMPLES[part["type"]])


def example(ref: str) -> dict[str, Any]:
    return {name: member(part) for name, part in form_of(SENT[ref])["properties"].items()}


@pytest.mark.parametrize("ref", sorted(SENT))
def test_validators_take_the_form_and_nothing_else(ref: str) -> None:
    whole = example(ref)
    decoded(ref, whole)
    required = form_of(SENT[ref])["required"]
    for name in whole:
        if name not in required:
            decoded(ref, {k: v for k, v in whole.items() if k != name})
            continue
        with pytest.raises(RefusedError, match="missing required field") as refused:
            decoded(ref, {k: v for k, v in whole.items() if k != name})
        assert refused.value.reason == "bad_payload"
        with pytest.raises(RefusedError):
            decoded(ref, whole | {name: None})
    with pytest.raises(RefusedError, match="unknown field"):
        decoded(ref, whole | {"more": 1})


def test_a_form_that_nobody_sends_is_refused() -> None:
    with pytest.raises(RefusedError, match="no module sends"):
        decoded("urn:schema:sig.nothing:v1", {})
    assert "urn:schema:sig.alpha_proposed:v1" in received_by(Module.DM)
    assert "urn:schema:sig.alpha_proposed:v1" not in received_by(Module.TR)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "0" * 32, "2025-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(sorted(SENT)), st.data())
def test_validators_and_json_schemas_are_of_one_mind(ref: str, data: st.DataObject) -> None:
    """The oracle is another implementation: the written JSON Schema, compiled by fastjsonschema."""
    payload = example(ref)
    member = data.draw(st.sampled_from(sorted(payload)))
    payload[member] = data.draw(JSON)
    module = ref.split(":")[2].split(".")[0]
    try:
        decoded(ref, payload)
        ours = True
    except RefusedError:
        ours = False
    assert ours == oracle(module, ref)(payload), (ref, member, payload[member])


_COMPILED: dict[str, Any] = {}


def oracle(module: str, ref: str) -> Any:
    """Return a function that tells whether a payload fits the written schema."""
    if ref not in _COMPILED:
        document = json.loads((ROOT / "docs" / "reference" / "schemas" / f"{module}.json").read_text())
        _COMPILED[ref] = fastjsonschema.compile(document["$defs"][ref])

    def fits(payload: dict[str, Any]) -> bool:
        try:
            _COMPILED[ref](payload)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return fits
