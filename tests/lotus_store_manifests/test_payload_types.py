"""Validators compiled from the manifests: the form and nothing else, of one mind with the JSON Schemas."""

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
from lotus_store.manifests.model import load_manifest, load_payloads
from lotus_store.manifests.payload_types import accepted, check_payload

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES: dict[str, Any] = {
    "text": "word", "hash": "0" * 32, "day": "2025-01-01", "integer": 1, "number": 0.5, "boolean": True,
    "object": {"a": 1}, "texts": ["a"], "objects": [{"a": 1}],
}  # fmt: skip


def example(name: str) -> dict[str, Any]:
    return {field: (note.enum or [EXAMPLES[note.type]])[0] for field, note in load_payloads()[name].fields.items()}


def sent() -> dict[str, str]:
    return {e.schema_ref: e.payload for m in Module for e in load_manifest(m.value).events.outbound}


@pytest.mark.parametrize("ref", sorted(sent()))
def test_validators_take_the_form_and_nothing_else(ref: str) -> None:
    whole = example(sent()[ref])
    check_payload(ref, whole)
    fields = load_payloads()[sent()[ref]].fields
    for member in whole:
        if fields[member].default is not None:
            check_payload(ref, {k: v for k, v in whole.items() if k != member})
            continue
        with pytest.raises(RefusedError, match="missing required field") as refused:
            check_payload(ref, {k: v for k, v in whole.items() if k != member})
        assert refused.value.reason == "bad_payload"
        with pytest.raises(RefusedError):
            check_payload(ref, whole | {member: None})
    with pytest.raises(RefusedError, match="unknown field"):
        check_payload(ref, whole | {"more": 1})


def test_a_form_that_nobody_sends_is_refused() -> None:
    with pytest.raises(RefusedError, match="no module sends"):
        check_payload("urn:schema:sig.nothing:v1", {})
    assert "urn:schema:sig.alpha_proposed:v1" in accepted(Module.DM)
    assert "urn:schema:sig.alpha_proposed:v1" not in accepted(Module.TR)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["", "0" * 32, "2025-01-01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=examples(300), deadline=None)
@given(st.sampled_from(sorted(sent())), st.data())
def test_validators_and_json_schemas_are_of_one_mind(ref: str, data: st.DataObject) -> None:
    """The oracle is another implementation: the written JSON Schema, compiled by fastjsonschema."""
    payload = example(sent()[ref])
    member = data.draw(st.sampled_from(sorted(payload)))
    payload[member] = data.draw(JSON)
    module = ref.split(":")[2].split(".")[0]
    try:
        check_payload(ref, payload)
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
