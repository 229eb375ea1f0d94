"""How an entry rests in its style: pegged to its side's best until its wait is over, then across the spread, or not.

Each slice has one order in the book at a time. An order follows the market by being cancelled; the next is sent once
the fate of the last is known, so that nothing is ever opened twice. Names are counted by slice: its first order, its
re-pegs, its crossing order. What is filled is kept. (Literature: pegged orders, passive-aggressive execution.)
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from lotus.detectors.entry_style import REPEG_EVERY_MS, EntryStyle, Fallback
from lotus.trading.execution.conditions import MarketView, passed
from lotus.trading.execution.entry_orders import crossing_px, send_entry
from lotus.trading.execution.order_machine import ZERO, Purpose, TrackedOrder
from lotus.trading.execution.orders import OrderState, TimeInForce
from lotus.trading.execution.pegging import Peg
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD
from lotus.trading.execution.state import Ending, ExecutionState, cancel, close_entry
from lotus.trading.plan.plan import Strategy
from lotus.trading.plan.styles import repegs_of

CROSSING_MS: Final = 2_000  # after its wait an entry has so long to be cancelled and to cross


def entered_by_ms(state: ExecutionState) -> int:
    """Return when an entry is over (ms, own clock): the end of the plan's validity, or of waits that began within."""
    plan = state.plan
    if plan.styles.entry is EntryStyle.CROSS or state.opened_ms is None or not state.slices:
        return plan.valid_until_ms
    waits = len(state.slices) if plan.strategy == Strategy.ICEBERG.value else 1
    last_ms = state.opened_ms + state.slices[-1].after_ms + waits * (plan.rest_ms + CROSSING_MS)
    return max(plan.valid_until_ms, last_ms)


def rest_in(state: ExecutionState, view: MarketView | None, now_ms: int) -> ExecutionState:
    """Return the state with what is due of every slice; the entry is closed when all of them are over."""
    plan, entries = state.plan, list(state.of(Purpose.ENTRY))
    if any(order.is_refused or _is_taken_away(order) for order in entries):
        return close_entry(state, Ending.REFUSED_BY_VENUE)
    if view is not None and plan.stop_px is not None and passed(plan.stop_px, plan.exit_side, view):
        return close_entry(state, Ending.STOP)
    waits_turn = plan.strategy == Strategy.ICEBERG.value
    for number in range(len(state.slices)):
        is_first_due = number < state.next_slice or _is_due(state, number, now_ms)
        if not is_first_due or (waits_turn and number and not _is_over(state, number - 1, view, now_ms)):
            return state
        state = replace(state, next_slice=max(state.next_slice, number + 1))
        state = _tend(state, number, view, now_ms)
    if not all(_is_over(state, number, view, now_ms) for number in range(len(state.slices))):
        return state
    is_skipped = plan.styles.fallback is Fallback.SKIP and state.entered < plan.size
    return close_entry(state, Ending.EXPIRED if is_skipped else Ending.NONE)


def _is_taken_away(order: TrackedOrder) -> bool:
    """Return whether the venue cancelled an order at rest that nobody here asked it to cancel."""
    return order.may_rest and order.state is OrderState.CANCELED and order.cancel_ms is None


def _is_due(state: ExecutionState, number: int, now_ms: int) -> bool:
    return state.opened_ms is not None and now_ms - state.opened_ms >= state.slices[number].after_ms


def _names_of_slice(state: ExecutionState) -> int:
    """Return how many names a slice has: its first order's, those of its re-pegs, and the crossing one's."""
    return repegs_of(len(state.slices)) + 2


def _orders_of(state: ExecutionState, number: int) -> list[TrackedOrder]:
    """Return the orders of a slice, oldest first."""
    names = _names_of_slice(state)
    return sorted((o for o in state.of(Purpose.ENTRY) if o.index // names == number), key=lambda o: o.index)


def _tend(state: ExecutionState, number: int, view: MarketView | None, now_ms: int) -> ExecutionState:
    """Return the state with a slice's order sent, taken back to follow the market, or crossing."""
    orders = _orders_of(state, number)
    is_late = _is_late(state, orders, now_ms)
    if orders and not orders[-1].state.is_final:
        return _watch(state, orders[-1], view, is_late, now_ms)
    if view is None or _is_over(state, number, view, now_ms):
        return state
    names, size = _names_of_slice(state), _missing(state, number, orders)
    if is_late:
        crossing = number * names + names - 1
        return send_entry(state, crossing, size, crossing_px(state, view), TimeInForce.IOC, now_ms)
    index = orders[-1].index + 1 if orders else number * names
    is_soon = bool(orders) and now_ms - orders[-1].sent_ms < REPEG_EVERY_MS
    if is_soon or index % names == names - 1:
        return state
    return send_entry(state, index, size, _peg(state).px(view), TimeInForce.ALO, now_ms)


def _watch(
    state: ExecutionState, order: TrackedOrder, view: MarketView | None, is_late: bool, now_ms: int
) -> ExecutionState:
    """Return the state with an order's cancel sent, again until it ends, once its wait is over or the market moved."""
    names = _names_of_slice(state)
    is_crossing, may_follow = order.index % names == names - 1, order.index % names < names - 2
    if is_crossing:
        return state
    moves = may_follow and order.state is OrderState.RESTING and now_ms - order.sent_ms >= REPEG_EVERY_MS
    has_to = is_late or order.cancel_ms is not None
    has_to = has_to or (moves and view is not None and _peg(state).follows(order.order.limit_px, view))
    return cancel(state, [order], now_ms) if has_to else state


def _is_over(state: ExecutionState, number: int, view: MarketView | None, now_ms: int) -> bool:
    """Return whether nothing more is done for a slice: it crossed, too little is missing, or it is skipped."""
    orders = _orders_of(state, number)
    if any(not order.state.is_final for order in orders):
        return False
    names = _names_of_slice(state)
    if orders and orders[-1].index % names == names - 1:
        return True
    if _is_late(state, orders, now_ms) and state.plan.styles.fallback is Fallback.SKIP:
        return True
    px = view.mid if view is not None else (orders[-1].order.limit_px if orders else None)
    return px is not None and _missing(state, number, orders) * px < MIN_NOTIONAL_USD


def _is_late(state: ExecutionState, orders: Sequence[TrackedOrder], now_ms: int) -> bool:
    return bool(orders) and now_ms - orders[0].sent_ms >= state.plan.rest_ms


def _missing(state: ExecutionState, number: int, orders: Sequence[TrackedOrder]) -> Decimal:
    """Return what of a slice is neither filled nor may still be, within the plan's ceiling."""
    own = state.slices[number].size - sum((o.committed for o in orders), ZERO)
    return own if state.ceiling is None else min(own, state.ceiling - state.committed)


def _peg(state: ExecutionState) -> Peg:
    plan = state.plan
    return Peg(plan.styles.entry, plan.side, state.asset, plan.entry_px)
