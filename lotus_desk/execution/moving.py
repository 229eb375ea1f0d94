"""A plan that never reached its venue is taken up at another one, as a plan of its own under names of its own.

Only when every order of it is known to be never placed (`NEVER_PLACED`: nothing left this machine, or the venue itself
does not know the name once its clock has passed the order's expiry). An order without an answer is no such order, so a
plan whose fate is unknown stays where it is. Nobody is asked twice: a plan goes to each venue once. In the literature:
failover without duplicates, at-most-once delivery.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from msgspec import UNSET, structs

from lotus.hashing import natural_id
from lotus.trading.execution.orders import OrderState
from lotus.trading.execution.state import ExecutionState
from lotus.trading.execution.void import NEVER_SENT, void_of
from lotus.trading.plan.plan import PlanId
from lotus.trading.plan.validate import AccountState, refusals
from lotus_desk.execution.books import PlanDelta
from lotus_desk.market.snapshot import MarketSnapshot
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.plans import PlanRow

logger = logging.getLogger(__name__)


def never_reached(state: ExecutionState) -> bool:
    """Return whether a plan is over and nothing of it, entry or stop, ever came to its venue."""
    orders = state.orders.values()
    placed = not orders or any(order.state is not OrderState.NEVER_PLACED for order in orders)
    return state.done and not placed and not state.foreign and void_of(state) == NEVER_SENT


def with_successor(line: PlanDelta, market: MarketSnapshot) -> PlanDelta:
    """Return what is written of a plan, with the one that takes its place at another venue where there is one."""
    new = successor(line.row, line.state, market) if line.finished else None
    if new is None:
        return line
    logger.warning("plan %s never reached %s: it goes to %s", line.row.plan_id, line.row.venue, new.venue)
    return replace(line, successor=new)


def successor(row: PlanRow, state: ExecutionState, market: MarketSnapshot) -> PlanRow | None:
    """Return the plan that takes the place of one that never reached its venue; None where none may.

    It is judged again where it goes, and is still to be valid there. Its conditions held once and are not awaited
    again; a plan that was steered meanwhile is not taken up.
    """
    if not market.others or not never_reached(state) or state.ceiling is not None:
        return None
    plan = state.plan
    name = plan.authority.account
    left_at = [*(() if row.reference.left_at is UNSET else row.reference.left_at), name]
    for account in market.answering(name.partition("@")[0]):
        if account in left_at:
            continue
        new = replace(
            plan,
            plan_id=PlanId(natural_id("moved plan", plan.plan_id, account)),
            authority=replace(plan.authority, account=account),
            exit_at_ms=state.exit_at_ms or plan.exit_at_ms,
            trigger="",
            entry_when=(),
        )
        place = market.account_state(plan.coin, account)
        if refusals(new, _as_executor(place, plan.authority.executors)):
            continue
        return replace(
            row,
            plan_id=str(new.plan_id),
            venue=place.venue,
            stage="accepted",
            created_ms=place.now_ms,
            plan=to_plain(new),
            reference=structs.replace(row.reference, left_at=left_at),
            execution={},
            ceiling=None,
            exit_at_ms=None,
        )
    return None


def _as_executor(place: AccountState, executors: Sequence[str]) -> AccountState:
    """Return an account state with the executor under which the plan's authority knows it."""
    there = (name for name in executors if name.startswith(f"{place.venue}:"))
    return replace(place, executor=next(there, place.executor))
