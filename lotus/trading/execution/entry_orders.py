"""The orders of an entry: one order with its protective stop and take-profit in one grouped action, and their prices.

When they are sent is `entries` and `resting_entries`. Prices of crossing orders stay within the plan's slippage. A
take-profit that rests is no part of the group (`take_profits`). (Literature: bracket orders.)
"""

from decimal import Decimal

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import NewOrder, OrderGrouping, OrderTrigger, TimeInForce, TriggerKind
from lotus.trading.execution.rounding import round_px_for
from lotus.trading.execution.state import ExecutionState, new_order, send
from lotus.trading.plan.plan import BPS, Strategy

STOP_SLIPPAGE = Decimal("0.10")  # bound of a stop's market order beyond its trigger, far enough to be filled
RESTING = (Strategy.LIMIT.value, Strategy.ICEBERG.value)


def crossing_px(state: ExecutionState, view: MarketView) -> Decimal:
    """Return the limit of a crossing entry: the plan's price, or as far beyond the mid as its slippage allows."""
    plan = state.plan
    if plan.strategy in RESTING and plan.entry_px is not None:
        return plan.entry_px
    share = plan.max_slippage_bps * BPS * Decimal(state.knobs.entry_slippage)
    px = round_px_for(state.asset, view.mid * (1 + int(plan.side) * share), plan.side)
    if plan.entry_px is None:
        return px
    return min(px, plan.entry_px) if plan.side > 0 else max(px, plan.entry_px)


def send_entry(
    state: ExecutionState, index: int, size: Decimal, limit_px: Decimal, tif: TimeInForce, now_ms: int
) -> ExecutionState:
    """Return the state with an entry under way, its stop (and take-profit) in the same action."""
    plan = state.plan
    group = [(Purpose.ENTRY, index, new_order(state, Purpose.ENTRY, index, size, limit_px, tif))]
    if plan.stop_px is not None:
        group.append((Purpose.STOP, index, stop_order(state, Purpose.STOP, index, size, plan.stop_px)))
    if plan.take_profit_px is not None and plan.styles.exit is EntryStyle.CROSS:
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
