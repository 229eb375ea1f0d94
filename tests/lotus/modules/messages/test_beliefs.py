"""Payloads are closed and typed; a patch is named by its content."""

import pytest

from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Reason
from lotus.modules.messages.beliefs import PriorPatch, patch_message
from lotus.modules.messages.catalogue import decoded

PATCH = PriorPatch(
    branch="main",
    day="2025-01-01",
    priors_ver="0" * 32,
    effective_from_ms=1_735_797_600_000,
    parent_priors_ver="1" * 32,
    braids=[{"braid_id": "x", "strength": 1.0}],
)


def test_payloads_are_closed_and_typed() -> None:
    sent = patch_message(PATCH)
    assert decoded(sent.schema_ref, sent.payload) == PATCH
    for change in ({"more": 1}, {"day": "today"}, {"priors_ver": "x"}, {"effective_from_ms": 1.5}, {"braids": {}}):
        with pytest.raises(RefusedError) as refused:
            decoded(sent.schema_ref, sent.payload | change)
        assert refused.value.reason is Reason.BAD_PAYLOAD


def test_a_patch_is_named_by_its_content() -> None:
    assert patch_message(PATCH).dedupe_key == patch_message(PATCH).dedupe_key
    assert patch_message(PATCH).dedupe_key != patch_message(PATCH, replaces="01").dedupe_key
    assert patch_message(PATCH).ts == 1_735_776_000_000
