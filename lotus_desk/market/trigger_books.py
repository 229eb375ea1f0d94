"""Events of triggers and their messages, written in one transaction and in a thread of its own.

What was written before is not written or sent again. No decision here. In the literature: transactional outbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lotus.modules.envelope import Message
from lotus.modules.intents import Module
from lotus.modules.messages.trading import TriggerEval, trigger_message
from lotus_desk.execution.in_time import InTime
from lotus_desk.market.triggers import PlanTriggerEvent
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
from lotus_store.databases import Databases
from lotus_store.ledger.trading.plans import TriggerLine, put_trigger_events

LIMIT_S = 0.5


@dataclass(slots=True)
class TriggerBooks:
    """Books of the triggers of one desk; `last_failure` says why the last writing failed."""

    databases: Databases
    keys: Keys
    last_failure: str = ""
    _in_time: InTime = field(init=False)

    def __post_init__(self) -> None:
        """Write one batch at a time."""
        self._in_time = InTime(LIMIT_S, self._failed)

    async def write(self, events: Sequence[PlanTriggerEvent]) -> bool:
        """Write events and messages; return whether it was done within the limit."""
        return await self._in_time.done(self._write, tuple(events))

    def _write(self, events: Sequence[PlanTriggerEvent]) -> None:
        lines = [
            TriggerLine(row.plan_id, e.seq, e.status.value, e.time_ms, e.details() | {"from_ms": from_ms})
            for row, e, from_ms in events
        ]
        with self.databases.connect(Module.TR.value) as connection:
            put_trigger_events(connection, lines)
            send_many(connection, Module.TR, [_message(one) for one in events], self.keys)

    def _failed(self, problem: BaseException) -> None:
        self.last_failure = str(problem)


def _message(of_plan: PlanTriggerEvent) -> Message:
    row, event, from_ms = of_plan
    trigger = TriggerEval(
        branch=row.branch,
        decision_id=row.decision_id,
        asset=row.coin,
        state=event.status.value,
        time_ms=event.time_ms,
        details={**event.details(), "plan_id": row.plan_id, "from_ms": from_ms},
    )
    return trigger_message(trigger, row.plan_id, event.seq, row.lifecycle_id, row.parent_id)
