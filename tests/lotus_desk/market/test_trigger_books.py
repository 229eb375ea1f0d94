"""What a trigger says is written and sent once, beside the decision."""

import asyncio
from typing import Any

from trigger_frames import plan_of

from lotus.decision.alphas import InputFilter
from lotus.decision.policy.policy import shipped_policy
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.trading import DmDecision
from lotus.triggers.events import Cause, EvaluationStatus, TriggerEvent
from lotus_desk.market.trigger_books import TriggerBooks
from lotus_desk.market.triggers import PlanTriggerEvent
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.dm.decide import Decider
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.trading.decisions import judge_decision, put_decision
from lotus_store.ledger.trading.plans import trigger_events_of


def decision(name: str, time_ms: int, ticket: dict[str, Any]) -> DmDecision:
    return DmDecision(
        branch="main", decision_id=name, kind="book", time_ms=time_ms, valid_until_ms=time_ms, targets=[], ticket=ticket
    )


def test_what_is_said_is_written_and_sent_once_and_stands_beside_the_decision(
    databases: Databases, settings: Settings
) -> None:
    keys = Keys(settings.keys_root)
    row, plan = plan_of("touch(level=100)", 0, 1_000)
    event = TriggerEvent(1, EvaluationStatus.FIRED, Cause.HOLDS, 1_200, 6, plan.trigger, 100.0)
    with databases.connect("dm") as dm:
        put_decision(dm, decision(row.decision_id, 1_000, {}), row.lifecycle_id, "e", "BTC", "60s")
    books = TriggerBooks(databases, keys)
    for _ in range(2):
        assert asyncio.run(books.write([PlanTriggerEvent(row, event, 400)]))
    carry(databases, now_ms=1_300)
    policy = shipped_policy()
    decider = Decider(5_000, InputFilter("main", frozenset({"BTC"}), policy.horizons), policy, lambda: 1_300)
    handlers = {Intent.TRIGGER_EVAL: decider.take_trigger}
    assert consume(databases, Module.DM, handlers, keys, 1_300) == {"applied": 1}
    with databases.connect("tr") as tr, databases.connect("dm") as dm:
        (line,) = trigger_events_of(tr, plan.plan_id)
        judge_decision(dm, row.decision_id, {"outcome": "closed"})
        found: Any = dm.execute("SELECT eval FROM dm_strand WHERE id = %s", [row.decision_id]).fetchone()
    assert (line.status, line.time_ms, line.body["from_ms"]) == ("fired", 1_200, 400)
    assert found[0]["outcome"] == "closed"
    (told,) = found[0]["triggers"]
    assert (told["state"], told["time_ms"], told["details"]["plan_id"]) == ("fired", 1_200, plan.plan_id)
    assert told["details"]["part"] == plan.trigger
