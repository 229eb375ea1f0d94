"""Writing executions down in the tr database, before anything follows from them, and reading them at a start.

One transaction for all plans that a turn of the desk moved, with the reports of those that finished. No decision here.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

from lotus.modules.envelope import Message
from lotus.modules.intents import Module
from lotus.modules.messages.trading import report_message
from lotus.trading.accounts.funding import shares
from lotus.trading.execution.order_machine import Purpose, TrackedOrder
from lotus.trading.execution.orders import NewOrder, OrderState, VenueFill
from lotus.trading.execution.state import ExecutionState
from lotus_desk.execution.result import METRICS, report_payload
from lotus_desk.execution.stored import stored
from lotus_herald.keys import Keys
from lotus_herald.outbox import send_many
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.plans import (
    FillLine,
    FundingLine,
    OrderLine,
    PlanRow,
    PlanStep,
    judge_plan,
    known_orders,
    move_plan,
    note_lines,
    open_plans,
    step_plans,
)

NO_PLAN = ""  # of orders that close what no plan has


@dataclass(frozen=True, slots=True)
class PlanDelta:
    """A plan that a turn moved: its row, its state now, whether it finished now, and what to write of it.

    `successor` is the plan that takes its place at another venue; that one reports.
    """

    row: PlanRow
    state: ExecutionState
    finished: bool
    orders: Sequence[TrackedOrder] = ()
    fills: Sequence[VenueFill] = ()
    successor: PlanRow | None = None


@dataclass(slots=True)
class TradeBooks:
    """The tr database of one desk, on a connection of its own; a broken one is opened again at the next call.

    `venue` is the first one, `others` are those that the desk trades at beside it.
    """

    databases: Databases
    keys: Keys
    venue: str
    session: str = ""
    others: Sequence[str] = ()
    _connection: Connection | None = field(default=None)

    def write(self, moved: Sequence[PlanDelta], now_ms: int) -> None:
        """Write what moved, and the reports of what finished, in one transaction. Raises psycopg errors and leaves."""
        connection = self._open()
        try:
            with connection.transaction():
                step_plans(connection, [_step(one) for one in moved])
                for one in moved:
                    if one.successor is not None:
                        move_plan(connection, one.row.plan_id, one.successor)
                reports = [
                    self._report(connection, one, now_ms) for one in moved if one.finished and one.successor is None
                ]
                if reports:
                    send_many(connection, Module.TR, reports, self.keys)
        except Exception:
            self.close()
            raise

    def open_plans(self) -> list[PlanRow]:
        """Return the plans of these venues and this session that are not done."""
        connection = self._open()
        try:
            return open_plans(connection, (self.venue, *self.others), self.session)
        except Exception:
            self.close()
            raise

    def recorded(self, client_ids: Sequence[str]) -> frozenset[str]:
        """Return which orders were ever written down, on a connection of its own."""
        with closing(self.databases.connect(Module.TR.value, autocommit=True)) as connection:
            return known_orders(connection, client_ids)

    def note(self, venue: str, orders: Sequence[NewOrder], fills: Sequence[VenueFill], now_ms: int) -> None:
        """Write orders of no plan and fills of no living plan at a venue, on an own connection; safe to repeat."""
        lines = [
            OrderLine(
                client_id=o.client_id,
                plan_id=NO_PLAN,
                venue=venue,
                coin=o.coin,
                purpose=Purpose.EXIT,
                state=OrderState.UNKNOWN,
                sent_ms=now_ms,
                body=to_plain(o),
            )
            for o in orders
        ]
        with closing(self.databases.connect(Module.TR.value)) as connection, connection:
            note_lines(connection, lines, [_fill_line(venue, fill) for fill in fills])

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = self.databases.connect(Module.TR.value, autocommit=True)
        return self._connection

    def _report(self, connection: Connection, one: PlanDelta, now_ms: int) -> Message:
        """Write the result to the plan's strand; return the message that tells it."""
        row, payload = one.row, report_payload(one.row, one.state, now_ms)
        result = payload.report
        metrics = {name: result[name] for name in METRICS}
        judge_plan(connection, row.plan_id, result["fills"], metrics, result["position_after"])
        return report_message(payload, row.lifecycle_id, row.parent_id, one.state.revision)


def _fill_line(venue: str, fill: VenueFill) -> FillLine:
    return FillLine(
        venue=venue,
        fill_id=fill.fill_id,
        client_id=fill.client_id,
        coin=fill.coin,
        time_ms=fill.time_ms,
        body=to_plain(fill),
    )


def _step(one: PlanDelta) -> PlanStep:
    plan, venue = one.row.plan_id, one.row.venue
    orders = [
        OrderLine(
            client_id=o.client_id,
            plan_id=plan,
            venue=venue,
            coin=o.order.coin,
            purpose=o.purpose,
            state=o.state,
            sent_ms=o.sent_ms,
            body=to_plain(o),
        )
        for o in one.orders
    ]
    fills = [_fill_line(venue, f) for f in one.fills]
    account = one.state.plan.authority.account
    paid = [
        FundingLine(
            venue=venue,
            account=account,
            coin=p.coin,
            time_ms=p.time_ms,
            plan_id=plan,
            usd=float(p.usd),
            body=to_plain(p),
        )
        for p in shares(one.state)
    ]
    stage = "done" if one.state.done else "working"
    return PlanStep(
        plan_id=plan,
        stage=stage,
        execution=stored(one.state),
        will_hold=one.state.will_hold,
        orders=orders,
        fills=fills,
        paid=paid,
    )
