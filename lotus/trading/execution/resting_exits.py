"""How a position is left in a style that rests: pegged to its side's best for a while after its time, then at once.

Only the end of the plan's time waits so; a stop, a halt or an order to leave never does. A closing order at rest only
reduces, and the next one is sent once the fate of the last is known. (Literature: pegged orders.)
"""

from decimal import Decimal

from lotus.detectors.entry_style import MOST_REPEGS, REPEG_EVERY_MS
from lotus.trading.execution.order_machine import Purpose, TrackedOrder
from lotus.trading.execution.orders import OrderState, TimeInForce
from lotus.trading.execution.pegging import Peg
from lotus.trading.execution.state import (
    ExecutionState,
    cancel,
    fresh_view,
    leaves_at_rest,
    new_order,
    next_index,
    send,
)


def rests_out(state: ExecutionState, now_ms: int) -> bool:
    """Return whether a position may yet be left at rest: its time is over, its wait is not, and the venue takes it."""
    view, exits = fresh_view(state, now_ms), _resting(state)
    if not leaves_at_rest(state) or view is None or any(order.is_refused for order in exits):
        return False
    if not exits:
        return True
    may_go_on = len(exits) <= MOST_REPEGS or not exits[-1].state.is_final
    return may_go_on and now_ms - exits[0].sent_ms < state.plan.rest_ms


def rest_out(state: ExecutionState, size: Decimal, now_ms: int) -> ExecutionState:
    """Return the state with a closing order of `size` at rest, or the one there is taken back to follow the market."""
    view, exits = fresh_view(state, now_ms), _resting(state)
    others = [o for o in state.of(Purpose.TAKE_PROFIT, Purpose.EXIT) if not o.state.is_final and not o.is_grouped]
    if view is None:
        return state
    peg = Peg(state.plan.styles.exit, state.plan.exit_side, state.asset)
    if exits and not exits[-1].state.is_final:
        order = exits[-1]
        is_old = order.state is OrderState.RESTING and now_ms - order.sent_ms >= REPEG_EVERY_MS
        moves = is_old and len(exits) <= MOST_REPEGS and peg.follows(order.order.limit_px, view)
        wrong = is_old and order.order.size - order.taken != size
        return cancel(state, [order], now_ms) if moves or wrong or order.cancel_ms is not None else state
    if size <= 0 or others or (exits and now_ms - exits[-1].sent_ms < REPEG_EVERY_MS):
        return state
    index = next_index(state, Purpose.EXIT)
    order_out = new_order(state, Purpose.EXIT, index, size, peg.px(view), TimeInForce.ALO)
    return send(state, ((Purpose.EXIT, index, order_out),), now_ms)


def _resting(state: ExecutionState) -> list[TrackedOrder]:
    return [order for order in state.of(Purpose.EXIT) if order.may_rest]
