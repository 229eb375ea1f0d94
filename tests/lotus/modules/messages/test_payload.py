"""A payload names its form, and goes to all targets of its sender."""

import pytest

from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import ReviewNote
from lotus.modules.messages.payload import message_of, part_of
from lotus.modules.messages.signals import MetaSignal
from lotus.modules.messages.trading import MeasuredWindow

CUES = MetaSignal(branch="main", event_id="a" * 32, asset="BTC", time_ms=1, signal={})


def test_the_reference_is_made_of_sender_and_class() -> None:
    assert MetaSignal.ref(Module.SIG) == "urn:schema:sig.meta_signal:v1"
    assert ReviewNote.ref(Module.SIG) == "urn:schema:sig.review:v1"


def test_a_message_goes_to_all_targets_of_its_sender() -> None:
    message = message_of(CUES, Module.SIG, "main", 1, "b" * 32, "l")
    assert (message.to, message.priority, message.ttl_sec) == ((Module.DM,), 0, 0)
    with pytest.raises(KeyError):
        message_of(CUES, Module.TR, "main", 1, "b" * 32, "l")


def test_a_part_of_another_form_is_refused_with_what_was_expected() -> None:
    with pytest.raises(RefusedError, match=r"no MeasuredWindow.*expected: a window"):
        part_of({"event_id": 1}, MeasuredWindow, "a window")
