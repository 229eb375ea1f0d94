"""Hints of people on their way: sent signed, taken as a view, withdrawn before or after; bad ones refused at once."""

from dataclasses import dataclass
from typing import Any

import pytest
from hot_bed import END_MS, Market, account_state, propose

from lotus.decision.alphas import InputFilter
from lotus.decision.knowledge.reliability import start_of
from lotus.decision.policy.policy import shipped_policy
from lotus.errors import LedgerError, MessageError
from lotus.modules.intents import Intent, Module
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.dm.decide import Decider
from lotus_modules.dm.hints import Hint, tell_hint, withdraw
from lotus_modules.handlers import hot_handlers
from lotus_modules.tr.execute import Acceptor
from lotus_store.databases import Databases
from lotus_store.ledger.trading import inputs

POLICY = shipped_policy()
INPUT_FILTER = InputFilter("main", frozenset({"BTC", "ETH"}), POLICY.horizons)
ADA = Hint("ada", "ETH", -1, 0.4, 3600, "a gap above")


@dataclass
class World:
    """Databases, and a decision-maker that listens."""

    databases: Databases
    keys: Keys

    def settle(self) -> dict[str, int]:
        """Carry what was said and let the decision-maker take it."""
        carry(self.databases, now_ms=END_MS + 100)
        decider = Decider(5_000, INPUT_FILTER, POLICY, lambda: END_MS + 100)
        handlers = hot_handlers(decider, Acceptor(Market(account_state())))
        return consume(self.databases, Module.DM, handlers[Module.DM], self.keys, END_MS)

    def views(self) -> list[Any]:
        with self.databases.connect("dm") as dm:
            return inputs.book_inputs(dm, "main", "book", END_MS + 100).views


@pytest.fixture
def world(databases: Databases, keys: Keys) -> World:
    return World(databases, keys)


def test_a_hint_becomes_a_view_of_its_author_that_counts_little_at_first(world: World) -> None:
    said = tell_hint(world.databases, ADA, INPUT_FILTER, END_MS, world.keys)
    assert tell_hint(world.databases, ADA, INPUT_FILTER, END_MS, world.keys) == said, "the same words are the same hint"
    with world.databases.connect("vis") as vis:
        thought = vis.execute("SELECT id, kind, symbol, timeframe, session_bucket, hint->>'author' FROM vis_strand")
        assert thought.fetchall() == [(said.event_id, "hint", "ETH", "3600s", "ASIA", "ada")]
    assert world.settle() == {"applied": 1}
    (view,) = world.views()
    assert view == said
    assert (view.source, view.coin, view.sign, view.score) == ("human:ada", "ETH", -1, 0.4)
    assert view.valid_until_ms == END_MS + 3_600_000
    assert start_of(view.source, POLICY.reliability) == 0.1
    with world.databases.connect("dm") as dm:
        ((text,),) = dm.execute("SELECT envelope FROM dm_inbox").fetchall()
    assert '"note":"a gap above"' in str(text)


@pytest.mark.parametrize("is_settled", [True, False])
def test_a_hint_is_taken_back_whether_it_came_or_is_on_its_way(world: World, is_settled: bool) -> None:
    said = tell_hint(world.databases, ADA, INPUT_FILTER, END_MS, world.keys)
    if is_settled:
        world.settle()
        assert len(world.views()) == 1
    for _ in range(2):
        assert withdraw(world.databases, "main", said.event_id, "a typing error", END_MS + 50, world.keys) == END_MS
    world.settle()
    assert world.views() == []
    with world.databases.connect("sig") as sig:
        waiting = sig.execute("SELECT intent FROM sig_outbox").fetchall()
    assert waiting == [(Intent.ALPHA_WITHDRAWN.value,)], "said once"


def test_a_published_window_is_taken_back_by_its_name(world: World) -> None:
    event = propose(world.databases, world.keys, "a window")
    world.settle()
    assert withdraw(world.databases, "main", event, "bad data", END_MS + 50, world.keys) == END_MS
    world.settle()
    with world.databases.connect("dm") as dm:
        kept = dm.execute("SELECT event_id, withdrawn FROM dm_inputs").fetchall()
    assert kept == [(event, "bad data")]


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        (Hint("ada", "DOGE", 1, 0.4, 300), "asset is DOGE; expected one of BTC, ETH"),
        (Hint("ada", "ETH", 1, 1.5, 300), "conviction is 1.5"),
        (Hint("ada", "ETH", 1, 0.5, 10**7), "horizon_s is 10000000"),
        (Hint("", "ETH", 1, 0.5, 300), "author"),
        (Hint("ada", "ETH", 0, 0.5, 300), "direction is 0"),
    ],
)
def test_a_bad_hint_is_refused_where_it_is_typed(world: World, hint: Hint, told: str) -> None:
    with pytest.raises(MessageError, match="likely cause") as refused:
        tell_hint(world.databases, hint, INPUT_FILTER, END_MS, world.keys)
    assert told in str(refused.value)
    with world.databases.connect("vis") as vis:
        assert vis.execute("SELECT count(*) FROM vis_outbox").fetchone() == (0,)


def test_nothing_is_withdrawn_that_nobody_said(world: World) -> None:
    with pytest.raises(LedgerError, match="no view 0000 on branch main"):
        withdraw(world.databases, "main", "0000", "x", END_MS, world.keys)
