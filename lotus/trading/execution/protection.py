"""Every position has a resting stop, or is closed: which orders protect how much, and what follows when too little is.

A grouped stop protects once its entry is filled whole, for only then does a venue surely arm it. What no grouped stop
protects after the grace time gets one stop of its own, the guard, whose size follows the position. A position that
stays bare is closed. Reduce-only stops that are too large for a moment cannot flip a position. (Literature: bracket
orders, dead-man rules.)
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from lotus.trading.execution.entry_orders import stop_order
from lotus.trading.execution.events import Modify
from lotus.trading.execution.order_machine import ZERO, Purpose, TrackedOrder, modify_sent
from lotus.trading.execution.orders import OrderState
from lotus.trading.execution.state import (
    Ending,
    ExecutionState,
    Phase,
    alarm,
    cancel,
    close_entry,
    emit,
    next_index,
    put,
    send,
    whole_since,
)

NEVER_MS = 1 << 62
ARMED = (OrderState.WAITING, OrderState.RESTING)


def armed_size(state: ExecutionState, *purposes: Purpose) -> Decimal:
    """Return the size that stops (or take-profits) of these purposes surely protect.

    Of a grouped one that is: its entry is filled whole, and the venue named it alive after that.
    """
    whole = whole_since(state)
    return sum((_sure(o, whole) for o in state.of(*purposes)), ZERO)


def protect(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Return the state with guards sent, resized or withdrawn, and the position to be closed when it stays bare."""
    if not state.orders:
        return state
    held, grouped = max(ZERO, state.exposure), armed_size(state, Purpose.STOP)
    bare = held > grouped and held > grouped + armed_size(state, Purpose.GUARD)
    since = (state.bare_since_ms if state.bare_since_ms is not None else now_ms) if bare else None
    lasted = now_ms - (now_ms if state.bare_since_ms is None else state.bare_since_ms)
    if since != state.bare_since_ms or lasted > state.bare_ms_max:
        state = replace(state, bare_since_ms=since, bare_ms_max=max(lasted, state.bare_ms_max))
    if since is not None and now_ms - since >= state.safety.close_after_ms:
        state = _give_up(state, held)
    for stop in [o for o in state.orders.values() if o.pending is not None]:
        state = _resize(state, stop, stop.order.size, now_ms)
    state = _guard(state, max(ZERO, held - grouped), now_ms)
    state = _shrink(state, grouped - held, now_ms)
    return _withdraw_useless(state, now_ms)


def _sure(order: TrackedOrder, whole: Mapping[int, int]) -> Decimal:
    if order.state not in ARMED or order.doubtful:
        return ZERO
    if order.is_grouped and (order.seen_ms or 0) < whole.get(order.index, NEVER_MS):
        return ZERO
    return max(ZERO, order.least_size - order.taken)


def _give_up(state: ExecutionState, held: Decimal) -> ExecutionState:
    state = alarm(state, "unprotected", f"{held} {state.plan.coin} without a resting stop", "a stop at the venue")
    if state.ending is not Ending.NONE:
        return state
    return replace(close_entry(state, Ending.UNPROTECTED), ending=Ending.UNPROTECTED)


def _guard(state: ExecutionState, gap: Decimal, now_ms: int) -> ExecutionState:
    """Bring the guard to the size of the gap between the position and its grouped stops."""
    guard = next((o for o in state.of(Purpose.GUARD) if not o.state.is_final), None)
    if guard is None:
        return _new_guard(state, gap, now_ms)
    if gap == 0:
        return cancel(state, [guard], now_ms)
    return _resize(state, guard, guard.taken + gap, now_ms)


def _new_guard(state: ExecutionState, gap: Decimal, now_ms: int) -> ExecutionState:
    since, stop_px = state.bare_since_ms, state.plan.stop_px
    awaited = any(not o.state.is_final for o in state.of(Purpose.STOP))
    grace_ms = state.safety.stop_grace_ms if awaited else 0
    if gap == 0 or since is None or stop_px is None or now_ms - since < grace_ms:
        return state
    last = max((o.sent_ms for o in state.of(Purpose.GUARD)), default=None)
    if last is not None and now_ms - last < state.knobs.retry:
        return state
    index = next_index(state, Purpose.GUARD)
    return send(state, ((Purpose.GUARD, index, stop_order(state, Purpose.GUARD, index, gap, stop_px)),), now_ms)


def _shrink(state: ExecutionState, surplus: Decimal, now_ms: int) -> ExecutionState:
    """Take from the newest grouped stops what the position has become smaller by, unless it is being left."""
    if surplus <= 0 or state.exposure <= 0 or state.phase is Phase.LEAVING:
        return state
    whole = whole_since(state)
    for stop in reversed(list(state.of(Purpose.STOP))):
        sure = _sure(stop, whole)
        taken = min(surplus, sure)
        if taken == sure:
            state = cancel(state, [stop], now_ms) if sure else state
        elif taken:
            state = _resize(state, stop, stop.order.size - taken, now_ms)
        surplus -= taken
    return state


def _resize(state: ExecutionState, stop: TrackedOrder, size: Decimal, now_ms: int) -> ExecutionState:
    """Ask for another size, or again for the one under way when its answer stays out; a refusal waits as long."""
    waits = stop.modify_ms is not None and now_ms - stop.modify_ms < state.knobs.retry
    if stop.state not in ARMED or stop.doubtful or waits:
        return state
    wanted = replace(stop.order, size=size) if stop.pending is None else stop.pending
    if wanted == stop.order:
        return state
    return emit(put(state, modify_sent(stop, wanted, now_ms)), Modify(wanted))


def _withdraw_useless(state: ExecutionState, now_ms: int) -> ExecutionState:
    """Withdraw exits grouped with an entry that ended before it was filled whole, once nothing hangs on them."""
    broken = {o.index for o in state.of(Purpose.ENTRY) if o.state.is_final and o.state is not OrderState.FILLED}
    if not broken or (state.bare_since_ms is not None and state.exposure > 0):
        return state
    useless = [o for o in state.of(Purpose.STOP, Purpose.TAKE_PROFIT) if o.is_grouped and o.index in broken]
    return cancel(state, useless, now_ms)
