"""When a plan rests: until when, while its stop is not passed, a newer market changes nothing of it but its view.

A position that is held whole behind its stops is most of a plan's life. What is said here of `executor.step` is exact,
so that a caller may leave such a step out and keep the market for the next one. In the literature: quiescence, event
skipping of a discrete-event simulation.
"""

from lotus.trading.execution.order_machine import Purpose, TrackedOrder
from lotus.trading.execution.orders import OrderState
from lotus.trading.execution.protection import ARMED, armed_size
from lotus.trading.execution.state import Ending, Entering, ExecutionState


def rests_until(state: ExecutionState) -> int | None:
    """Return the last moment (ms, own clock) up to which a plan rests; None when it has something to do.

    It rests while the mark has not passed its stop; with conditions or a take-profit it never does.
    """
    plan, orders = state.plan, list(state.orders.values())
    is_entered = state.entering is Entering.CLOSED and state.ending is Ending.NONE and not state.done
    looks_on = plan.exit_when or plan.take_profit_px is not None
    is_bare = state.bare_since_ms is not None or state.stop_passed_ms is not None
    if not is_entered or looks_on or is_bare or not all(_is_quiet(order) for order in orders):
        return None
    held = state.held
    if not 0 < held == armed_size(state, Purpose.STOP) or (state.ceiling is not None and held > state.ceiling):
        return None
    exit_at_ms = plan.exit_at_ms if state.exit_at_ms is None else state.exit_at_ms
    ends = [] if exit_at_ms is None else [exit_at_ms - 1]
    named = (order.seen_ms or order.sent_ms for order in orders if not order.state.is_final)
    return min([*ends, *(seen_ms + state.safety.confirm_ms for seen_ms in named)])


def _is_quiet(order: TrackedOrder) -> bool:
    """Return whether nothing is to be done about an order: a whole entry, a stop that rests, or what is over."""
    if order.fills_missing:
        return False
    if order.purpose is Purpose.ENTRY:
        return order.state is OrderState.FILLED
    if order.state.is_final:
        return True
    is_live = order.state in ARMED and not order.doubtful and order.pending is None
    return order.purpose is Purpose.STOP and is_live
