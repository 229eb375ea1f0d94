"""Stops, take-profits and order groups: when a trigger fires, what an entry's fill wakes, what a closed position ends.

Triggers look at the mark price only. Children of an entry sleep until it is filled whole and die with it when it is
cancelled; when one exit of a group is filled its siblings are cancelled; exits of a position that is gone are too.
"""

from lotus.trading.execution.orders import OrderGrouping, TriggerKind
from lotus_venues.local_exchange.engine.matching import execute, rest
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.engine.values import EngineOrderStatus, ExchangeOrder


def is_due(order: ExchangeOrder, mark: int) -> bool:
    """Tell whether the mark price has reached an order's trigger.

    A sell stop and a buy take-profit fire at or below their price, the other two at or above.
    """
    if order.stop is None or not mark:
        return False
    falls = (order.stop.kind is TriggerKind.STOP_LOSS) == (order.side < 0)
    return mark <= order.stop.px if falls else mark >= order.stop.px


def arm(state: ExchangeState, order: ExchangeOrder) -> None:
    """Let an exit wait for its trigger."""
    order.is_waiting = True
    state.markets[order.asset].stops[order.oid] = order
    state.marked.add(order.asset)


def fire_due(state: ExchangeState, asset: int) -> bool:
    """Fire every due trigger of an asset, oldest first; tell whether there was one."""
    market = state.markets[asset]
    due = [o for o in market.stops.values() if is_due(o, market.mark)]
    for order in due:
        if order.oid in market.stops:
            _fire(state, order)
    return bool(due)


def _fire(state: ExchangeState, order: ExchangeOrder) -> None:
    assert order.stop is not None
    del state.markets[order.asset].stops[order.oid]
    order.is_waiting, order.has_triggered = False, True
    state.tell(order, EngineOrderStatus.TRIGGERED)
    if not order.lots:
        order.lots = order.left = state.reducible(order)
    if order.reduce_only and not state.reducible(order):
        state.close(order, EngineOrderStatus.REDUCE_ONLY_CANCELED)
        return
    execute(state, order, order.px)
    if not order.left:
        return
    if order.reduce_only and not state.reducible(order):
        state.close(order, EngineOrderStatus.REDUCE_ONLY_CANCELED)
    elif order.stop.is_market:
        state.close(order, EngineOrderStatus.CANCELED if order.filled else EngineOrderStatus.NO_LIQUIDITY)
    else:
        rest(state, order)


def after_fills(state: ExchangeState) -> bool:
    """Wake children of filled entries and end what lost its purpose; tell whether anything changed."""
    changed = False
    touched, state.touched = state.touched, set()
    for owner, asset in sorted(touched):
        for order in list(state.accounts[owner].exits.values()):
            if order.asset != asset or not order.is_open:
                continue
            if order.parent is not None and order.is_waiting and order.oid not in state.markets[asset].stops:
                changed |= _follow_parent(state, order)
            elif order.parent is None and order.related and _sibling_filled(state, order):
                state.close(order, EngineOrderStatus.SIBLING_FILLED_CANCELED)
                changed = True
            elif order.reduce_only and not state.reducible(order):
                state.close(order, EngineOrderStatus.REDUCE_ONLY_CANCELED)
                changed = True
    return changed


def _follow_parent(state: ExchangeState, child: ExchangeOrder) -> bool:
    parent = state.orders.get(child.parent or 0)
    if parent is not None and parent.is_open:
        return False
    if parent is None or parent.status != EngineOrderStatus.FILLED:
        state.close(child, EngineOrderStatus.CANCELED)
        return True
    child.parent = None
    arm(state, child)
    return True


def _sibling_filled(state: ExchangeState, order: ExchangeOrder) -> bool:
    if order.grouping is OrderGrouping.NONE or order.stop is None:
        return False
    siblings = (state.orders.get(oid) for oid in order.related)
    return any(s is not None and s.status == EngineOrderStatus.FILLED for s in siblings)
