"""The engine of one plan: an event and the time in, the new state and commands out. It opens nothing, waits for none.

Everything that happens is first taken in, then all rules are asked what is due; so a lost or repeated event changes
when something is done, not what. The caller drives it with a `Tick` at least every 100 ms while the plan lives, carries
the commands out in order and answers each (`executor` never sends an order twice). In the literature: sans-io protocol
engine; event sourcing.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import assert_never

from lotus.detectors.entry_style import EntryStyle
from lotus.errors import VenueError
from lotus.manifest import Asset
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.entries import enter
from lotus.trading.execution.events import (
    Close,
    Command,
    Event,
    ForeignFill,
    Halt,
    ModifyAnswer,
    OpenOrdersSeen,
    Steer,
    Tick,
    TriggerStatus,
    TriggerTold,
)
from lotus.trading.execution.exits import finish, judge, leave
from lotus.trading.execution.order_machine import (
    Purpose,
    TrackedOrder,
    absent,
    adopted,
    adopted_by,
    filled,
    held,
    modify_answered,
    possible_ids,
    told,
)
from lotus.trading.execution.orders import FundingPayment, OrderUpdate, VenueFill
from lotus.trading.execution.protection import protect
from lotus.trading.execution.state import Ending, ExecutionState, Safety, alarm, ask, close_entry, end, put
from lotus.trading.execution.take_profits import take_profit
from lotus.trading.plan.knobs import ExecutionKnobs
from lotus.trading.plan.plan import Plan


def begin(
    plan: Plan,
    asset: Asset,
    venue: str,
    now_ms: int,
    knobs: ExecutionKnobs | None = None,
    safety: Safety | None = None,
) -> ExecutionState:
    """Return the execution of a plan that `validate` found no fault with; nothing is sent before the first event."""
    return ExecutionState(plan, asset, venue, now_ms, knobs or ExecutionKnobs(), safety or Safety())


def step(state: ExecutionState, event: Event, now_ms: int) -> tuple[ExecutionState, tuple[Command, ...]]:
    """Return the state after an event at `now_ms` (own clock) and the commands that follow, in order.

    Events of other coins or of orders that are not the plan's change nothing. Raises `VenueError` for a fill that
    contradicts its order.
    """
    state = _taken(state, event, now_ms)
    if state.done and state.held == 0 and all(o.state.is_final and not o.fills_missing for o in state.orders.values()):
        return replace(state, out=()), state.out
    for rule in (ask, judge, enter, protect, take_profit, leave, finish):
        state = rule(state, now_ms)
    return replace(state, out=()), state.out


def _taken(state: ExecutionState, event: Event, now_ms: int) -> ExecutionState:
    match event:
        case OrderUpdate():
            known = state.orders.get(event.client_id)
            return state if known is None else put(state, told(known, event, now_ms))
        case VenueFill():
            return _fill(state, event, now_ms)
        case MarketView():
            newer = state.view is None or event.time_ms >= state.view.time_ms
            return replace(state, view=event) if event.coin == state.plan.coin and newer else state
        case Tick():
            return state
        case ModifyAnswer():
            known = state.orders.get(event.update.client_id)
            return state if known is None else put(state, modify_answered(known, event.update, now_ms))
        case OpenOrdersSeen():
            return _snapshot(state, event, now_ms)
        case FundingPayment():
            key = (event.coin, event.time_ms)
            mine = event.coin == state.plan.coin and event.time_ms >= state.accepted_ms and key not in state.funding
            return replace(state, funding={**state.funding, key: event}) if mine else state
        case ForeignFill():
            return _foreign(state, event.fill)
        case Halt():
            state = replace(close_entry(state, Ending.HALTED), halted=True)
            return end(state, Ending.HALTED) if event.flatten else state
        case Close():
            return _ordered_out(state)
        case Steer():
            return _steered(state, event.ceiling, event.exit_at_ms)
        case TriggerTold():
            return _trigger(state, event.status)
        case _:
            assert_never(event)


def _steered(state: ExecutionState, ceiling: Decimal | None, exit_at_ms: int | None) -> ExecutionState:
    """Return the state under the lower ceiling and the later exit time; a ceiling of nothing is an order to leave."""
    if ceiling is not None:
        state = replace(state, ceiling=ceiling if state.ceiling is None else min(state.ceiling, ceiling))
    if exit_at_ms is not None:
        before = state.exit_at_ms or state.plan.exit_at_ms or exit_at_ms
        state = replace(state, exit_at_ms=max(before, exit_at_ms))
    return state if state.ceiling is None or state.ceiling > 0 else _ordered_out(state)


def _ordered_out(state: ExecutionState) -> ExecutionState:
    return end(close_entry(state, Ending.ORDERED), Ending.ORDERED)


def _fill(state: ExecutionState, fill: VenueFill, now_ms: int) -> ExecutionState:
    known = state.orders.get(fill.client_id)
    if known is None:
        named = possible_ids(state.plan.plan_id).get(fill.client_id)
        if named is None:
            return state
        known = adopted_by(fill, *named, state.plan.size)
        state = _past_slices(state, [known])
    after = filled(known, fill, now_ms)
    state = put(state, after)
    if not after.overfilled:
        return state
    return alarm(
        state, "overfilled", f"{after.filled} filled of order {after.client_id}", f"{after.order.size} at most"
    )


def _foreign(state: ExecutionState, fill: VenueFill) -> ExecutionState:
    if fill.coin != state.plan.coin:
        raise VenueError(f"a fill of {fill.coin} for a plan of {state.plan.coin}", "its coin")
    return replace(state, foreign={**state.foreign, fill.fill_id: fill})


def _snapshot(state: ExecutionState, seen: OpenOrdersSeen, now_ms: int) -> ExecutionState:
    there = {o.client_id: o for o in seen.orders}
    after = [
        held(o, there[name], now_ms) if name in there else absent(o, seen.taken_ms) for name, o in state.orders.items()
    ]
    strange = [o for o in seen.orders if o.coin == state.plan.coin and o.client_id not in state.orders]
    names = possible_ids(state.plan.plan_id) if strange else {}
    found = [adopted(o, *names[o.client_id], now_ms) for o in strange if o.client_id in names]
    return _past_slices(put(state, *after, *found), found)


def _past_slices(state: ExecutionState, adopted_orders: Iterable[TrackedOrder]) -> ExecutionState:
    """Return the state that will not send the slices again of which orders were found.

    At rest a slice knows its orders by their names.
    """
    if state.plan.styles.entry is not EntryStyle.CROSS:
        return state
    found = max((o.index + 1 for o in adopted_orders if o.purpose is Purpose.ENTRY), default=0)
    return replace(state, next_slice=max(state.next_slice, found))


def _trigger(state: ExecutionState, status: TriggerStatus) -> ExecutionState:
    if status is TriggerStatus.FIRED:
        return replace(state, triggered=True)
    ended = status is not TriggerStatus.ARMED and not state.triggered
    return close_entry(state, Ending.TRIGGER_ENDED) if ended else state
