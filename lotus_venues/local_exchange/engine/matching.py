"""Executions: an order against the book, a print of the tape against resting orders, a book that crosses them.

Price-time priority between local orders and the tape's size (`book`); a trade of an account with itself cancels the
resting order; a resting order that its owner's margin no longer carries is cancelled instead of filled.
"""

from lotus.trading.execution.orders import Side
from lotus_venues.fees import TIERS, fee_micro
from lotus_venues.local_exchange.engine.accounts import Account, ExchangePosition
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.engine.values import EngineOrderStatus, ExchangeFill, ExchangeOrder


def execute(state: ExchangeState, order: ExchangeOrder, limit: int | None, liquidated: int | None = None) -> None:
    """Match an order against what stands at `limit` (None: any price) or better; what is left stays in `left`."""
    against = state.markets[order.asset].side(order.side.opposite)
    while order.left and (best := against.maker(limit)) is not None:
        px, lots, maker = best
        room = min(order.left, state.reducible(order)) if order.reduce_only else order.left
        if not room:
            return
        part = min(room, lots)
        if maker is not None:
            if maker.owner == order.owner:
                state.close(maker, EngineOrderStatus.SELF_TRADE_CANCELED)
                continue
            part = _carried(state, maker, part)
            if not part:
                continue
        else:
            against.take(px, part)
        state.ids.tid += 1
        _book(state, order, px, part, crossed=True, liquidated=liquidated)
        if maker is not None:
            _fill_resting(state, maker, part, px)
        else:
            _against_market(state, order, px, part)


def rest(state: ExchangeState, order: ExchangeOrder) -> None:
    """Put what is left of an order into the book."""
    market = state.markets[order.asset]
    market.side(order.side).join(order, market.time_ms)
    state.accounts[order.owner].rest(order)


def print_trade(state: ExchangeState, asset: int, aggressor: Side, px: int, lots: int, time_ms: int, tid: int) -> None:
    """Let a print of the tape fill local orders that stood in its way; one seen before (by `tid`) changes nothing."""
    for order, part in state.markets[asset].take_print(aggressor, px, lots, time_ms, tid):
        _against_tape(state, order, part)


def uncross(state: ExchangeState, asset: int) -> None:
    """Fill local orders that the tape's other side now crosses, at their own price, up to the size shown there."""
    market = state.markets[asset]
    for side in Side:
        own, theirs = market.side(side), market.side(side.opposite)
        while (order := own.first_order) is not None and (px := theirs.shown_px) is not None:
            if (order.px - px) * side < 0:
                break
            part = min(order.left, theirs.shown[theirs.key(px)])
            filled = _against_tape(state, order, part)
            if filled:
                theirs.take(px, filled)


def fee_bps(state: ExchangeState, account: Account, *, crossed: bool) -> float:
    """Return the fee of an account's tier."""
    return TIERS[max(state.least_tier, account.fee_tier(state.now_ms))][1 if crossed else 2]


def _against_tape(state: ExchangeState, order: ExchangeOrder, lots: int) -> int:
    """Fill a resting order from the tape with at most `lots`; return how many."""
    if not order.is_open:
        return 0
    part = _carried(state, order, lots)
    if part:
        state.ids.tid += 1
        _fill_resting(state, order, part, order.px)
        _against_market(state, order, order.px, part)
    return part


def _carried(state: ExchangeState, maker: ExchangeOrder, lots: int) -> int:
    """Return how many lots of a resting order may be filled; 0 means that it was cancelled."""
    if maker.reduce_only:
        room = state.reducible(maker)
        if not room:
            state.close(maker, EngineOrderStatus.REDUCE_ONLY_CANCELED)
        return min(lots, room)
    account = state.accounts[maker.owner]
    if account.lots(maker.asset) * maker.side >= 0:
        marks = state.marks
        if account.initial_margin(marks) > account.cross_value(marks):
            state.close(maker, EngineOrderStatus.MARGIN_CANCELED)
            return 0
    return lots


def _fill_resting(state: ExchangeState, maker: ExchangeOrder, lots: int, px: int) -> None:
    _book(state, maker, px, lots, crossed=False, liquidated=None)
    account = state.accounts[maker.owner]
    if not maker.left:
        state.markets[maker.asset].side(maker.side).leave(maker)
    account.reduced(maker, lots)


def _book(
    state: ExchangeState, order: ExchangeOrder, px: int, lots: int, *, crossed: bool, liquidated: int | None
) -> None:
    """Post one side of an execution to its account."""
    account, position = state.accounts[order.owner], state.position(order)
    start = position.lots
    notional = px * lots
    fee = fee_micro(notional, fee_bps(state, account, crossed=crossed))
    closed = position.apply(order.side, px, lots)
    if position.is_cross:
        account.raw_micro -= order.side * notional
    else:
        position.raw_micro -= order.side * notional
        _move_margin(account, position, start, px)
    account.raw_micro -= fee
    state.fees_micro += fee
    account.traded(notional, state.now_ms)
    order.left -= lots
    order.cost += notional
    fill = ExchangeFill(
        owner=order.owner, asset=order.asset, side=order.side, px=px, lots=lots, time_ms=state.now_ms,
        oid=order.oid, cloid=order.cloid, crossed=crossed, fee_micro=fee, closed_micro=closed,
        start_lots=start, tid=state.ids.tid, liquidated=liquidated,
    )  # fmt: skip
    account.fills.append(fill)
    state.events.append(fill)
    state.touched.add((order.owner, order.asset))
    if not order.left:
        account.ended(order)
        state.tell(order, EngineOrderStatus.FILLED)


def _against_market(state: ExchangeState, order: ExchangeOrder, px: int, lots: int) -> None:
    state.market_lots[order.asset] -= order.side * lots
    state.market_raw_micro += order.side * px * lots


def _move_margin(account: Account, position: ExchangePosition, start: int, px: int) -> None:
    """Keep an isolated position's margin: its share in when it grew, its share of the equity out when it shrank."""
    if not position.lots:
        moved = -position.raw_micro
    elif abs(position.lots) > abs(start) and position.lots * start >= 0:
        moved = -(-(abs(position.lots) - abs(start)) * px // position.leverage)
    elif position.lots * start < 0:
        moved = -(-abs(position.lots) * px // position.leverage) - (position.raw_micro + position.lots * px)
    else:
        equity = position.raw_micro + position.lots * px
        moved = -(equity * (abs(start) - abs(position.lots)) // abs(start))
    position.raw_micro += moved
    account.raw_micro -= moved
