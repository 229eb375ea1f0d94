"""A take-profit that rests: a reduce-only order at its price for what is held, which never pays for the spread.

It is sent once the entry is over, and follows the size of the position. Where the exit crosses, the take-profit is a
trigger of the entry's group instead (`entry_orders`). (Literature: resting profit target.)
"""

from typing import Final

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.execution.order_machine import ZERO, Purpose
from lotus.trading.execution.orders import TimeInForce
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD
from lotus.trading.execution.state import (
    Ending,
    Entering,
    ExecutionState,
    cancel,
    fresh_view,
    new_order,
    next_index,
    send,
)

MOST_TARGETS: Final = 16  # orders after which a take-profit that does not come to rest is executed by hand


def take_profit(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state with the take-profit brought to the size of the position; withdrawn once that is left."""
    plan = state.plan
    if plan.take_profit_px is None or plan.styles.exit is EntryStyle.CROSS:
        return state
    orders = list(state.of(Purpose.TAKE_PROFIT))
    live = [order for order in orders if not order.state.is_final]
    if state.ending is not Ending.NONE:
        return cancel(state, live, now_ms)
    held = max(ZERO, state.exposure)
    gap = held - sum((order.order.size - order.taken for order in live), ZERO)
    if gap < 0:
        return cancel(state, live[-1:], now_ms)
    entries_over = state.entering is Entering.CLOSED and all(o.state.is_final for o in state.of(Purpose.ENTRY))
    view, side = fresh_view(state, now_ms), plan.exit_side
    is_soon = bool(orders) and now_ms - orders[-1].sent_ms < state.knobs.retry
    if view is None or not entries_over or is_soon or len(orders) >= MOST_TARGETS:
        return state
    own = view.best(side.opposite)
    px = max(plan.take_profit_px, own) if side < 0 else min(plan.take_profit_px, own)
    if gap * px < MIN_NOTIONAL_USD:
        return state
    index = next_index(state, Purpose.TAKE_PROFIT)
    order = new_order(state, Purpose.TAKE_PROFIT, index, gap, px, TimeInForce.ALO)
    return send(state, ((Purpose.TAKE_PROFIT, index, order),), now_ms)
