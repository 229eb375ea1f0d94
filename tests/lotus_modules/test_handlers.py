"""The table of handlers: the hot ones in real databases: each message once, mirrored, whatever is delivered again."""

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hot_bed import END_MS, Market, account_state, decider, propose, settle

from lotus.hashing import natural_id
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.trading import ExecReport, PlanReference, report_message
from lotus_herald.consume import Handlers
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.handlers import HOT, SLOW, handler_names, hot_handlers
from lotus_modules.tr.execute import Acceptor
from lotus_store.databases import Databases
from lotus_store.ledger import atlas
from lotus_store.ledger.messages.replicas import replicas
from lotus_store.ledger.signals.executions import execution_of
from lotus_store.ledger.trading.decisions import decision_of
from lotus_store.ledger.trading.plans import plans_for


@pytest.fixture
def market() -> Market:
    return Market(account_state())


@pytest.fixture
def handlers(market: Market) -> Mapping[Module, Handlers]:
    return hot_handlers(decider(), Acceptor(market))


def test_a_proposal_becomes_one_accepted_plan(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    event = propose(databases, keys, "a")
    propose(databases, keys, "a")
    assert settle(databases, handlers, keys) == {"dm": {"applied": 1}, "tr": {"applied": 1}}
    with databases.connect("tr") as tr, databases.connect("dm") as dm:
        (plan,) = plans_for(tr, event)
        ticket = decision_of(dm, plan.decision_id)
    assert (plan.stage, plan.kind, plan.coin, plan.venue, plan.created_ms) == (
        "accepted", "probe", "BTC", "local", END_MS + 20,
    )  # fmt: skip
    assert plan.plan["size"] == "0.01000"
    assert plan.plan["exit_at_ms"] == END_MS + 60_000
    assert plan.plan["valid_until_ms"] == END_MS + 5_000
    assert plan.reference.detector_id == "sr"
    with databases.connect("tr") as tr:
        said: Any = tr.execute("SELECT tr_predict FROM tr_strand WHERE id = %s", [plan.plan_id]).fetchone()
    assert {name: told["score"] is None for name, told in said[0]["curators"].items()} == {
        "execution": True, "venue": True, "risk": False, "position": False,
    }  # fmt: skip
    assert said[0]["approved"]
    assert ticket is not None
    assert ticket["targets"][0]["event_id"] == event


def test_strands_say_session_regime_and_horizon(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    propose(databases, keys, "wild", context="4" + 11 * "-")
    settle(databases, handlers, keys)
    for module in (Module.DM, Module.TR):
        with databases.connect(module.value) as own:
            said = own.execute(f"SELECT symbol, timeframe, session_bucket, regime FROM {module}_strand").fetchall()
        assert said == [("BTC", "60s", "ASIA", "wild")], module


def test_the_first_report_of_a_window_stands(databases: Databases, keys: Keys) -> None:
    handlers = hot_handlers(decider(), Acceptor(Market(account_state())))
    event, plan = natural_id("w"), natural_id("p")
    reference = PlanReference(event_id=event, detector_id="sr", window_end_ms=END_MS)
    payload: dict[str, Any] = {
        "branch": "main", "decision_id": natural_id("d"), "plan_id": plan, "kind": "probe", "outcome": "closed",
        "asset": "BTC", "venue": "local", "time_ms": END_MS, "payoff_bps": -3.5, "pnl_usd": -0.35, "refusals": [],
        "reference": reference, "report": {},
    }  # fmt: skip
    with databases.connect("tr") as tr:
        for revision, bps in ((0, -3.5), (1, -9.0)):
            message = report_message(ExecReport(**payload | {"payoff_bps": bps}), event, "", revision)
            send(tr, Module.TR, message, keys)
    assert settle(databases, handlers, keys) == {"dm": {"applied": 2}, "sig": {"applied": 2}}
    with databases.connect("sig") as sig:
        told = execution_of(sig, event)
    assert told is not None
    assert told.payoff_bps == -3.5


def test_a_window_without_a_direction_is_a_dead_letter(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    propose(databases, keys, "flat", direction=0)
    assert settle(databases, handlers, keys) == {"dm": {"dead": 1}}


def test_strands_are_mirrored_as_the_rebuild_has_them(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    propose(databases, keys, "m")
    herald = Herald(databases, keys, handlers, lambda: END_MS, lambda: END_MS + 20, poll_s=0.0)
    for _ in range(4):
        herald.turn()
    with databases.connect("dm") as dm:
        dm.execute("UPDATE dm_strand SET eval = '{}', updated_at = now()")
    herald.turn()
    herald.close()
    found = atlas.differences(databases)
    assert found.equal, found
    with databases.connect("atlas") as connection:
        rows = connection.execute("SELECT module, branch FROM lotus_ledger WHERE ref_table LIKE '%strand' ORDER BY 1")
        assert rows.fetchall() == [("dm", "main"), ("tr", "main")]


def test_passes_over_some_modules_leave_no_strand_behind(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    herald = Herald(databases, keys, handlers, lambda: END_MS, lambda: END_MS + 20, poll_s=0.5)
    herald.turn()
    propose(databases, keys, "partial")
    time.sleep(0.6)  # the next pass would look, but it is over one module only
    for module in (Module.SIG, Module.DM, Module.TR):
        herald.turn(frozenset({module}))
    herald.close()
    found = atlas.differences(databases)
    assert found.equal, found


def test_a_herald_that_begins_mirrors_what_was_left(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    propose(databases, keys, "left")
    settle(databases, handlers, keys)
    assert len(atlas.differences(databases).missing) == 2, "two strands that no Herald has seen"
    herald = Herald(databases, keys, handlers, lambda: END_MS, lambda: END_MS + 20, poll_s=0.0)
    herald.turn()
    herald.close()
    assert atlas.differences(databases).equal


def stages(databases: Databases, event: str) -> list[str]:
    with databases.connect("tr") as tr:
        return [plan.stage for plan in plans_for(tr, event)]


def test_one_pass_over_the_first_sender_carries_what_is_answered_to_its_end(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    herald = Herald(databases, keys, handlers, lambda: END_MS, lambda: END_MS + 20, poll_s=1000.0)
    herald.turn()
    event = propose(databases, keys, "through")
    carried, applied = herald.turn(frozenset({Module.SIG}))
    herald.close()
    assert carried.delivered == {"dm": 1, "tr": 1}
    assert applied == {"sig": {}, "dm": {"applied": 1}, "tr": {"applied": 1}}
    assert stages(databases, event) == ["accepted"]


@pytest.mark.parametrize("failpoint", ["claimed", "put in", "delivered", "marking", "marked"])
def test_a_crash_while_an_answer_is_carried_loses_and_doubles_nothing(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers], failpoint: str
) -> None:
    seen: list[str] = []

    def dies(label: str) -> None:
        seen.append(label)
        if label == failpoint and "put in" in seen[:-1]:  # the answer's own, or what comes after it
            raise ZeroDivisionError

    event = propose(databases, keys, "crash")
    broken = Herald(databases, keys, handlers, lambda: END_MS, lambda: END_MS + 20)
    broken.carrier.failpoint = dies
    with pytest.raises(ZeroDivisionError):
        broken.turn()
    broken.close()
    herald = Herald(databases, keys, handlers, lambda: END_MS, lambda: END_MS + 20, poll_s=0.0)
    for _ in range(3):
        herald.turn()
    herald.close()
    assert stages(databases, event) == ["accepted"]
    with databases.connect("dm") as dm, databases.connect("sig") as sig:
        assert dm.execute("SELECT count(*), count(dispatched_at) FROM dm_outbox").fetchall() == [(1, 1)]
        assert sig.execute("SELECT count(*), count(dispatched_at) FROM sig_outbox").fetchall() == [(1, 1)]
    found = atlas.differences(databases)
    assert found.equal, found


def test_what_keeps_the_house_gives_way_to_a_message_and_is_done_all_the_same(
    databases: Databases, keys: Keys, handlers: Mapping[Module, Handlers]
) -> None:
    herald = Herald(
        databases, keys, handlers, lambda: END_MS, lambda: END_MS + 20, poll_s=1000.0, replica="r", own_only=True
    )

    def known() -> list[str]:
        found = []
        for module in Module:
            with databases.connect(module.value) as c:
                found += [module.value for _ in replicas(c, module.value)]
        return found

    herald._maintained = time.monotonic() + 1000.0
    herald._hint.set()  # somebody waits, and goes on waiting
    herald.turn(frozenset())
    assert known() == ["sig"], "one thing, and back to who waits"
    herald._maintained = time.monotonic() - 1000.0
    herald.turn(frozenset())
    herald.close()
    assert known() == ["sig", "dm", "tr", "vis"], "but not for ever"
    assert herald.passes == 2 + len(Module), "and every module is polled"


def test_an_intent_of_a_module_is_hot_or_slow() -> None:
    for module, own in HOT.items():
        assert not set(own) & set(SLOW[module]), module
    assert handler_names()[Module.DM][Intent.ALPHA_PROPOSED] == "take_alpha"
