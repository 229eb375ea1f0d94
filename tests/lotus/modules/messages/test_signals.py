"""Messages about views: their bytes, and one message for one window."""

import hashlib
from typing import Any

import pytest

from lotus.modules.envelope import Message, seal
from lotus.modules.intents import Module
from lotus.modules.messages.payload import part_of
from lotus.modules.messages.signals import (
    AlphaWithdrawn,
    ProposedSignal,
    hint_message,
    meta_message,
    proposed_message,
    withdrawn_message,
)

NAME = "a" * 32
SIGNAL: dict[str, Any] = {
    "branch": "main", "event_id": NAME, "detector_id": "sr", "asset": "BTC", "horizon_s": 60, "priors_ver": "b" * 32,
    "direction": 1, "context": "x",
    "provenance": {"window": {"start_ms": 1, "end_ms": 1_735_689_600_000}, "close_recv_ns": "1735689600000000000"},
}  # fmt: skip
HINT: dict[str, Any] = {
    "schema_ver": "alpha-hint-1.0", "event_id": NAME, "branch": "main", "asset": "ETH", "horizon_s": 3600,
    "conviction": 0.4, "direction": 1,
}  # fmt: skip
VIEW = AlphaWithdrawn(branch="main", event_id=NAME, time_ms=7, reason="why")


@pytest.mark.parametrize(
    ("message", "sender", "sha256"),
    [
        (proposed_message(SIGNAL), Module.SIG, "bfdebbe4b522c160"),
        (meta_message(SIGNAL), Module.SIG, "00b23b23fc4e6b68"),
        (hint_message(HINT, 5), Module.VIS, "5bc83a43fb20c8c3"),
        (withdrawn_message(VIEW, 9), Module.SIG, "48aa668b1977d25e"),
    ],
)
def test_the_bytes_of_a_message_stay(message: Message, sender: Module, sha256: str) -> None:
    assert hashlib.sha256(seal(message, sender, 1, "rel").to_json().encode()).hexdigest()[:16] == sha256


def test_a_view_is_withdrawn_once() -> None:
    assert withdrawn_message(VIEW, 9).dedupe_key == withdrawn_message(VIEW, 10).dedupe_key


def test_the_close_of_a_window_is_read_from_text() -> None:
    assert part_of(SIGNAL, ProposedSignal, "a signal").provenance.close_recv_ns == 1_735_689_600_000_000_000
