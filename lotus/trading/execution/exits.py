"""How a position is left: what ends it, the orders that close it, and when nothing of it remains.

Stop and take-profit rest at the venue; the mark is watched too, for a venue that does not fire them. A closing order is
an immediate one; the next is sent only when the fate of the last is known, and may go further beyond the best price.
What stands above a plan's ceiling is taken off in the same way. Stops stay until the position is flat. (Literature:
exit management; reduce-only orders.)
"""

from dataclasses import replace
from decimal import Decimal
from itertools import takewhile

from lotus.detectors.entry_style import EntryStyle
from lotus.trading.execution.conditions import first_holding, passed
from lotus.trading.execution.events import Finished
from lotus.trading.execution.order_machine import ZERO, Purpose
from lotus.trading.execution.orders import OrderState, TimeInForce
from lotus.trading.execution.protection import armed_size
from lotus.trading.execution.resting_exits import rest_out, rests_out
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD, round_px_for
from lotus.trading.execution.state import (
    Ending,
    Entering,
    ExecutionState,
    alarm,
    cancel,
    close_entry,
    emit,
    end,
    leaves_at_rest,
    new_order,
    next_index,
    send,
)
from lotus.trading.plan.plan import BPS

MAX_FLIP_EXITS = 16  # closing orders after which a flip that the venue will not reduce is left to people
MAX_EXIT_SLIPPAGE = Decimal("0.10")
EXITS = (Purpose.STOP, Purpose.TAKE_PROFIT, Purpose.GUARD, Purpose.EXIT)


def judge(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state with the reason to leave, when there is one now; the first reason stands."""
    if state.ending is Ending.NONE:
        state = _stop_passed(state, now_ms)
        ending = _ending(state, now_ms)
        if ending is not Ending.NONE:
            state = replace(state, ending=ending)
    elif leaves_at_rest(state):
        state = _stop_passed(state, now_ms)
        state = end(state, Ending.STOP) if _is_stop_overdue(state, now_ms) else state
    if state.ending is not Ending.NONE and state.leaving_px is None and state.view is not None:
        state = replace(state, leaving_px=state.view.mid)
    return close_entry(state, state.ending) if state.ending is not Ending.NONE else state


def leave(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state with a closing order sent for what is held, unless one is under way or the last just failed.

    A closing order only reduces, whatever it is believed to close: a mistake here opens nothing.
    """
    held, exits = state.exposure, list(state.of(Purpose.EXIT))
    if held < 0:
        state = _flipped(state, held)
        if state.ending is not Ending.FLIPPED or len(exits) >= MAX_FLIP_EXITS:
            return state
    surplus = held if state.ending is not Ending.NONE else _above_ceiling(state, held)
    if rests_out(state, now_ms):
        return rest_out(state, surplus, now_ms)
    if state.plan.styles.exit is not EntryStyle.CROSS:
        state = cancel(state, [o for o in exits if o.may_rest], now_ms)
        exits = [o for o in state.of(Purpose.EXIT) if not (o.may_rest and o.state.is_final)]
    if surplus == 0 or any(not o.state.is_final for o in exits):
        return state
    if exits and now_ms - exits[-1].sent_ms < state.knobs.retry:
        return state
    missed = len(list(takewhile(lambda o: o.state is not OrderState.FILLED, reversed(exits))))
    return _close(state, surplus, missed, now_ms)


def _above_ceiling(state: ExecutionState, held: Decimal) -> Decimal:
    """Return what is held beyond the ceiling; nothing where it is too little to be worth an order."""
    if state.ceiling is None or held <= state.ceiling:
        return ZERO
    px = state.view.mark if state.view is not None else state.arrival_px
    surplus = held - state.ceiling
    return surplus if px is not None and surplus * px >= MIN_NOTIONAL_USD else ZERO


def finish(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state with what rests withdrawn once nothing is held, and finished once all of it is final."""
    entries = list(state.of(Purpose.ENTRY))
    settled = state.entering is Entering.CLOSED and all(o.state.is_final and not o.fills_missing for o in entries)
    if state.done:
        ending = Ending.LATE_FILL if state.held else state.ending
        return replace(state, done=False, ending=ending, revision=state.revision + 1)
    if not settled or state.held != 0:
        return state
    state = cancel(state, list(state.of(*EXITS)), now_ms)
    if any(o.must_ask or not o.state.is_final for o in state.orders.values()):
        return state
    return emit(replace(state, done=True), Finished(state.revision))


def _ending(state: ExecutionState, now_ms: int) -> Ending:
    plan, view = state.plan, state.view
    exit_at_ms = plan.exit_at_ms if state.exit_at_ms is None else state.exit_at_ms
    if exit_at_ms is not None and now_ms >= exit_at_ms:
        return Ending.TIME
    if _is_stop_overdue(state, now_ms):
        return Ending.STOP
    target = plan.take_profit_px
    reached = view is not None and target is not None and passed(target, plan.side, view)
    condition_holds = view is not None and first_holding(plan.exit_when, view) is not None
    held = state.exposure if reached or condition_holds else ZERO
    if reached and armed_size(state, Purpose.TAKE_PROFIT) < held:
        return Ending.TAKE_PROFIT
    return Ending.CONDITION if condition_holds and held > 0 else Ending.NONE


def _stop_passed(state: ExecutionState, now_ms: int) -> ExecutionState:
    plan, view = state.plan, state.view
    beyond = view is not None and plan.stop_px is not None and passed(plan.stop_px, plan.exit_side, view)
    since = (state.stop_passed_ms or now_ms) if beyond and state.exposure > 0 else None
    return state if since == state.stop_passed_ms else replace(state, stop_passed_ms=since)


def _is_stop_overdue(state: ExecutionState, now_ms: int) -> bool:
    return state.stop_passed_ms is not None and now_ms - state.stop_passed_ms >= state.safety.stop_grace_ms


def _close(state: ExecutionState, size: Decimal, attempt: int, now_ms: int) -> ExecutionState:
    plan, view = state.plan, state.view
    side = plan.exit_side if size > 0 else plan.side
    best = view.best(side) if view is not None else state.arrival_px
    if best is None:
        return state
    share = min(MAX_EXIT_SLIPPAGE, Decimal(state.knobs.exit_slippage) * BPS * (attempt + 1))
    limit_px = round_px_for(state.asset, best * (1 + int(side) * share), side)
    index = next_index(state, Purpose.EXIT)
    order = new_order(state, Purpose.EXIT, index, abs(size), limit_px, TimeInForce.IOC)
    return send(state, ((Purpose.EXIT, index, replace(order, side=side)),), now_ms)


def _flipped(state: ExecutionState, held: Decimal) -> ExecutionState:
    """Return the state with a flip alarmed, once no order is in doubt: an exit may come before the entry's fill."""
    if any(o.must_ask or not o.state.is_final for o in state.of(Purpose.ENTRY, Purpose.EXIT)):
        return state
    state = alarm(state, "flipped", f"{held} {state.plan.coin} against the plan", "a position of its side")
    return state if state.ending is Ending.FLIPPED else replace(state, ending=Ending.FLIPPED)
