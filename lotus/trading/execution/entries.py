"""How a position is opened: waiting for conditions, sending slices, and taking back what must not be filled any more.

Every entry goes out with its protective stop in one grouped action (`entry_orders`). An entry that the venue refused or
never saw is not sent again. How one rests in its style is `resting_entries`. (Literature: parent and child orders.)
"""

from dataclasses import replace
from decimal import Decimal

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.execution.conditions import MarketView, all_hold, passed
from lotus.trading.execution.entry_orders import RESTING, crossing_px, send_entry
from lotus.trading.execution.order_machine import ZERO, Purpose
from lotus.trading.execution.orders import OrderState, TimeInForce
from lotus.trading.execution.resting_entries import entered_by_ms, rest_in
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD
from lotus.trading.execution.slicing import schedule
from lotus.trading.execution.state import Ending, Entering, ExecutionState, cancel, close_entry, fresh_view
from lotus.trading.plan.plan import Strategy


def enter(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state after what is due of the entry at `now_ms`."""
    if state.halted:
        state = close_entry(state, Ending.HALTED)
    if state.ceiling is not None and state.committed > state.ceiling:
        state = close_entry(state, Ending.ORDERED)
    if now_ms >= entered_by_ms(state):
        state = close_entry(state, Ending.EXPIRED)
    view = fresh_view(state, now_ms)
    if state.entering is Entering.WAITING and view is not None:
        state = _open(state, view, now_ms)
    if state.entering is Entering.OPEN:
        crosses = state.plan.styles.entry is EntryStyle.CROSS
        state = _slices(state, view, now_ms) if crosses else rest_in(state, view, now_ms)
    if state.entering is Entering.CLOSED:
        state = cancel(state, list(state.of(Purpose.ENTRY)), now_ms)
    return state


def _open(state: ExecutionState, view: MarketView, now_ms: int) -> ExecutionState:
    plan = state.plan
    if (plan.trigger and not state.triggered) or not all_hold(plan.entry_when, view):
        return state
    if plan.stop_px is not None and passed(plan.stop_px, plan.exit_side, view):
        return close_entry(state, Ending.STOP)
    px = plan.entry_px or view.mid
    slices = schedule(plan, state.asset, px, state.knobs.slice, state.knobs.jitter)
    return replace(state, entering=Entering.OPEN, slices=slices, arrival_px=view.mid, opened_ms=now_ms)


def _slices(state: ExecutionState, view: MarketView | None, now_ms: int) -> ExecutionState:
    """Send the slice that is due, if any; when none is left and all are final, the entry is closed."""
    entries = list(state.of(Purpose.ENTRY))
    if any(o.state in (OrderState.REJECTED, OrderState.NEVER_PLACED) for o in entries):
        return close_entry(state, Ending.REFUSED_BY_VENUE)
    if state.next_slice == len(state.slices):
        return close_entry(state, Ending.NONE) if all(o.state.is_final for o in entries) else state
    if state.plan.strategy in RESTING and any(o.state is OrderState.CANCELED for o in entries):
        return close_entry(state, Ending.REFUSED_BY_VENUE)
    if view is None or not _is_due(state, now_ms):
        return state
    index, limit_px = state.next_slice, crossing_px(state, view)
    state = replace(state, next_slice=index + 1)
    size = _slice_size(state, index)
    if size * limit_px < MIN_NOTIONAL_USD:
        return state
    tif = TimeInForce.IOC
    if state.plan.strategy in RESTING:
        tif = TimeInForce.ALO if state.plan.post_only else TimeInForce.GTC
    return send_entry(state, index, size, limit_px, tif, now_ms)


def _is_due(state: ExecutionState, now_ms: int) -> bool:
    opened = now_ms if state.opened_ms is None else state.opened_ms
    if now_ms - opened < state.slices[state.next_slice].after_ms:
        return False
    return state.plan.strategy != Strategy.ICEBERG.value or all(o.state.is_final for o in state.of(Purpose.ENTRY))


def _slice_size(state: ExecutionState, index: int) -> Decimal:
    """Return what schedule and ceiling want in all by this slice, less what is filled and what may still be."""
    target = sum((s.size for s in state.slices[: index + 1]), ZERO)
    return (target if state.ceiling is None else min(target, state.ceiling)) - state.committed
