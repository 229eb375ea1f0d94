"""Reviews in the ledger: an act is one row, however often it is said."""

from dataclasses import replace

from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.weave.review import ReviewAct
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.weave_notes import tell_review
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.reviews import read_reviews


def act(**changes: object) -> ReviewAct:
    base = ReviewAct(natural_id("act"), "main", "2026-01-05", "reject", "braid", "ann", "other", 1.0, "why")
    return replace(base, **changes)  # type: ignore[arg-type]


def deliver(databases: Databases, keys: Keys) -> dict[str, int]:
    carry(databases, "main", senders=(Module.SIG,))
    return consume(databases, Module.SIG, SLOW[Module.SIG], keys, 0, "main")


def test_an_act_becomes_one_row_however_often_it_is_said(databases: Databases, keys: Keys) -> None:
    for _ in range(2):
        with databases.connect("sig") as sig:
            tell_review(sig, act(), keys)
    assert deliver(databases, keys) == {"applied": 1}
    with databases.connect("sig") as sig:
        tell_review(sig, act(), keys)
    assert deliver(databases, keys) == {}
    with databases.connect("sig") as sig:
        assert read_reviews(sig, "main") == (act(),)
        assert read_reviews(sig, "main", "2026-01-05") == (act(),)
        assert read_reviews(sig, "main", "2026-01-06") == ()
