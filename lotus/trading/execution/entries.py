"""How a position is opened: waiting for conditions, sending slices, and taking back what must not be filled any more.

Every entry goes out with its protective stop (and take-profit) in one grouped action. An entry that the venue refused
or never saw is not sent again. Prices of crossing orders stay within the plan's slippage. (Literature: parent and child
orders.)
"""

from dataclasses import replace
from decimal import Decimal

from lotus.trading.execution.conditions import MarketView, all_hold, passed
from lotus.trading.execution.order_machine import ZERO, Purpose
from lotus.trading.execution.orders import NewOrder, OrderGrouping, OrderState, OrderTrigger, TimeInForce, TriggerKind
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD, round_px_for
from lotus.trading.execution.slicing import schedule
from lotus.trading.execution.state import Ending, Entering, ExecutionState, cancel, new_order, send
from lotus.trading.plan.plan import BPS, Strategy

STOP_SLIPPAGE = Decimal("0.10")  # bound of a stop's market order beyond its trigger, far enough to be filled
RESTING = (Strategy.LIMIT.value, Strategy.ICEBERG.value)


def close_entry(state: ExecutionState, ending: Ending) -> ExecutionState:
    """Return the state in which nothing more is opened; the first reason stands."""
    if state.entering is Entering.CLOSED:
        return state
    return replace(state, entering=Entering.CLOSED, entry_ending=ending)


def enter(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state after what is due of the entry at `now_ms`."""
    if state.halted:
        state = close_entry(state, Ending.HALTED)
    if state.ceiling is not None and state.committed > state.ceiling:
        state = close_entry(state, Ending.ORDERED)
    if now_ms >= state.plan.valid_until_ms:
        state = close_entry(state, Ending.EXPIRED)
    view = _fresh(state, now_ms)
    if state.entering is Entering.WAITING and view is not None:
        state = _open(state, view, now_ms)
    if state.entering is Entering.OPEN:
        state = _slices(state, view, now_ms)
    if state.entering is Entering.CLOSED:
        state = cancel(state, list(state.of(Purpose.ENTRY)), now_ms)
    return state


def _fresh(state: ExecutionState, now_ms: int) -> MarketView | None:
    view = state.view
    return view if view is not None and now_ms - view.time_ms <= state.safety.view_age_ms else None


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
    index, limit_px = state.next_slice, _limit_px(state, view)
    state = replace(state, next_slice=index + 1)
    size = _slice_size(state, index)
    if size * limit_px < MIN_NOTIONAL_USD:
        return state
    return _send_group(state, index, size, limit_px, now_ms)


def _is_due(state: ExecutionState, now_ms: int) -> bool:
    opened = now_ms if state.opened_ms is None else state.opened_ms
    if now_ms - opened < state.slices[state.next_slice].after_ms:
        return False
    return state.plan.strategy != Strategy.ICEBERG.value or all(o.state.is_final for o in state.of(Purpose.ENTRY))


def _slice_size(state: ExecutionState, index: int) -> Decimal:
    """Return what schedule and ceiling want in all by this slice, less what is filled and what may still be."""
    target = sum((s.size for s in state.slices[: index + 1]), ZERO)
    return (target if state.ceiling is None else min(target, state.ceiling)) - state.committed


def _limit_px(state: ExecutionState, view: MarketView) -> Decimal:
    """Return the limit of an entry: the plan's price, or as far beyond the mid as its slippage allows."""
    plan = state.plan
    if plan.strategy in RESTING and plan.entry_px is not None:
        return plan.entry_px
    share = plan.max_slippage_bps * BPS * Decimal(state.knobs.entry_slippage)
    px = round_px_for(state.asset, view.mid * (1 + int(plan.side) * share), plan.side)
    if plan.entry_px is None:
        return px
    return min(px, plan.entry_px) if plan.side > 0 else max(px, plan.entry_px)


def _send_group(state: ExecutionState, index: int, size: Decimal, limit_px: Decimal, now_ms: int) -> ExecutionState:
    plan = state.plan
    tif = TimeInForce.IOC
    if plan.strategy in RESTING:
        tif = TimeInForce.ALO if plan.post_only else TimeInForce.GTC
    group = [(Purpose.ENTRY, index, new_order(state, Purpose.ENTRY, index, size, limit_px, tif))]
    if plan.stop_px is not None:
        group.append((Purpose.STOP, index, stop_order(state, Purpose.STOP, index, size, plan.stop_px)))
    if plan.take_profit_px is not None:
        group.append((Purpose.TAKE_PROFIT, index, _take_profit(state, index, size, plan.take_profit_px)))
    return send(state, tuple(group), now_ms, OrderGrouping.ENTRY_WITH_EXITS if len(group) > 1 else OrderGrouping.NONE)


def stop_order(state: ExecutionState, purpose: Purpose, index: int, size: Decimal, stop_px: Decimal) -> NewOrder:
    """Return a stop that sends a market order, bounded far beyond its trigger."""
    return new_order(
        state, purpose, index, size, _bound(state, stop_px), trigger=OrderTrigger(stop_px, TriggerKind.STOP_LOSS)
    )


def _take_profit(state: ExecutionState, index: int, size: Decimal, px: Decimal) -> NewOrder:
    trigger = OrderTrigger(px, TriggerKind.TAKE_PROFIT)
    return new_order(state, Purpose.TAKE_PROFIT, index, size, _bound(state, px), trigger=trigger)


def _bound(state: ExecutionState, px: Decimal) -> Decimal:
    side = state.plan.exit_side
    return round_px_for(state.asset, px * (1 + int(side) * STOP_SLIPPAGE), side)
