"""Alerts and reviews on the wire: said once, refused when they are malformed."""

from dataclasses import replace

import pytest

from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.weave.review import ReviewAct
from lotus.weave.watchdog import BraidAlert
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.weave_notes import tell_alerts, tell_review
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.reviews import read_reviews
from lotus_store.ledger.messages.boxes import dead_letters

VERSION = natural_id("version")


def act(**changes: object) -> ReviewAct:
    base = ReviewAct(natural_id("act"), "main", "2026-01-05", "reject", "braid", "ann", "other", 1.0, "why")
    return replace(base, **changes)  # type: ignore[arg-type]


def deliver(databases: Databases, keys: Keys) -> dict[str, int]:
    carry(databases, "main", senders=(Module.SIG,))
    return consume(databases, Module.SIG, SLOW[Module.SIG], keys, 0, "main")


def test_an_act_of_an_unknown_kind_is_a_dead_letter(databases: Databases, keys: Keys) -> None:
    with databases.connect("sig") as sig:
        tell_review(sig, act(kind="promote"), keys)
    assert deliver(databases, keys) == {"dead": 1}
    with databases.connect("sig") as sig:
        assert [letter.reason for letter in dead_letters(sig, "sig")] == ["bad_payload"]
        assert read_reviews(sig, "main") == ()


@pytest.mark.parametrize("times", [1, 3])
def test_alerts_of_a_night_are_told_once_each(databases: Databases, keys: Keys, times: int) -> None:
    alerts = [
        BraidAlert("x", "d", "reverted", "e-process reached 21", 21.0),
        BraidAlert("y", "d", "expired", "time", 1.0),
    ]
    for _ in range(times):
        with databases.connect("sig") as sig:
            tell_alerts(sig, "main", "2026-01-05", alerts, VERSION, keys)
    assert deliver(databases, keys) == {"applied": 2}
