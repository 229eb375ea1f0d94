"""From a request to an order: the venue's checks in order, its refusals in its words, and what an accepted one does.

Each order of a batch is answered by itself; the orders of a group share their fate (`place_group`).
"""

from collections.abc import Sequence
from decimal import Decimal

from lotus.trading.execution.orders import OrderGrouping, Side, TimeInForce, TriggerKind
from lotus_venues.local_exchange.engine.exits import arm, is_due
from lotus_venues.local_exchange.engine.matching import execute, rest
from lotus_venues.local_exchange.engine.rules import MIN_NOTIONAL_MICRO, price_units, size_lots
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.engine.values import (
    EngineOrderStatus,
    ExchangeOrder,
    OrderRequest,
    OrderResult,
    SmallExits,
    Stop,
)
from lotus_venues.local_exchange.requests import error_messages

MAX_OPEN_ORDERS, OPEN_PER_USD, MOST_OPEN_ORDERS = 1_000, 5_000_000, 5_000
_TIFS = {"Gtc": TimeInForce.GTC, "Ioc": TimeInForce.IOC, "Alo": TimeInForce.ALO, "FrontendMarket": TimeInForce.IOC}


def read(
    state: ExchangeState, owner: str, request: OrderRequest, grouping: OrderGrouping
) -> tuple[ExchangeOrder | None, str]:
    """Return the order that a request spells, or the refusal of its numbers."""
    if not 0 <= request.asset < len(state.markets):
        return None, error_messages.BAD_ASSET.format(asset=request.asset)
    asset = state.markets[request.asset].listing.asset
    px, error = price_units(request.px, asset.px_decimals)
    stop = None
    if not error and request.trigger_px is not None and request.kind is not None:
        trigger, error = price_units(request.trigger_px, asset.px_decimals)
        stop = Stop(trigger, TriggerKind(request.kind), request.is_market)
    whole_position = grouping is OrderGrouping.POSITION_EXITS
    lots, size_error = size_lots(request.size, asset.sz_decimals, may_be_zero=whole_position)
    if error or size_error:
        return None, error or size_error
    side = Side.BUY if request.is_buy else Side.SELL
    tif = _TIFS[request.tif] if request.tif is not None else TimeInForce.GTC
    order = ExchangeOrder(
        oid=0, owner=owner, asset=request.asset, side=side, px=px, lots=lots, left=lots, tif=tif,
        reduce_only=request.reduce_only, placed_ms=state.now_ms, cloid=request.cloid, stop=stop,
        grouping=grouping, status_ms=state.now_ms, is_market=request.tif == "FrontendMarket",
    )  # fmt: skip
    return order, ""


def refusal(state: ExchangeState, order: ExchangeOrder, reference: int | None = None) -> str:
    """Return why the venue refuses an order, "" when it does not; `reference` replaces the mark for its trigger."""
    market, account = state.markets[order.asset], state.accounts[order.owner]
    if state.now_ms < state.post_only_until_ms and order.tif is not TimeInForce.ALO:
        return error_messages.POST_ONLY_PERIOD
    if order.px * order.lots < MIN_NOTIONAL_MICRO and not _may_be_small(state, order):
        return error_messages.TOO_SMALL
    if not market.oracle or abs(order.px - market.oracle) * 100 > 95 * market.oracle:
        return error_messages.TOO_FAR
    more = account.volume_micro // (OPEN_PER_USD * 1_000_000)
    if len(account.open) >= min(MAX_OPEN_ORDERS + more, MOST_OPEN_ORDERS):
        return error_messages.TOO_MANY_OPEN
    if len(account.open) >= MAX_OPEN_ORDERS and (order.reduce_only or order.stop is not None):
        return error_messages.TOO_MANY_OPEN
    if order.stop is not None:
        if order.stop.kind is TriggerKind.STOP_LOSS and (order.px - order.stop.px) * order.side < 0:
            return error_messages.BAD_TRIGGER
        return error_messages.BAD_TRIGGER if is_due(order, reference or market.mark) else ""
    if order.tif is TimeInForce.ALO and (text := _would_match(state, order)):
        return text
    if not order.reduce_only:
        state.position(order)
        marks = state.marks
        needed = account.initial_margin(marks, {(order.asset, order.side): order.lots})
        if needed > account.cross_value(marks) and needed > account.initial_margin(marks):
            return error_messages.NO_MARGIN
    return ""


def _may_be_small(state: ExchangeState, order: ExchangeOrder) -> bool:
    small = state.exit_rules.small
    if not order.reduce_only or small is SmallExits.NONE:
        return False
    return small is SmallExits.ALL or order.stop is not None or order.lots >= state.reducible(order)


def _would_match(state: ExchangeState, order: ExchangeOrder) -> str:
    market = state.markets[order.asset]
    best = market.side(order.side.opposite).best_px
    if best is None or (order.px - best) * order.side < 0:
        return ""
    bid, ask = (
        "None" if px is None else format(Decimal(px).scaleb(-market.listing.asset.px_decimals).normalize(), "f")
        for px in (market.bids.best_px, market.asks.best_px)
    )
    return error_messages.WOULD_MATCH.format(bid=bid, ask=ask)


def place(state: ExchangeState, order: ExchangeOrder) -> OrderResult:
    """Check an order and let it work: match, rest, wait for its trigger, or be refused."""
    left = state.reducible(order) if order.reduce_only else 0
    too_large = state.exit_rules.is_strict and order.stop is None and order.lots > left
    if order.reduce_only and (not left or too_large):
        return refuse(state, order, error_messages.NOT_REDUCING)
    error = refusal(state, order)
    if error:
        return refuse(state, order, error)
    state.admit(order)
    if order.stop is not None:
        arm(state, order)
        state.tell(order, EngineOrderStatus.OPEN)
        return OrderResult(order)
    execute(state, order, order.px)
    if order.left and order.tif is TimeInForce.IOC:
        if order.filled:
            state.close(order, EngineOrderStatus.CANCELED)
            return OrderResult(order)
        empty = order.is_market and state.markets[order.asset].side(order.side.opposite).best_px is None
        state.close(order, EngineOrderStatus.NO_LIQUIDITY if empty else EngineOrderStatus.IOC_CANCELED)
        return OrderResult(order, error_messages.NO_LIQUIDITY if empty else error_messages.NO_MATCH)
    if order.left and order.reduce_only and not state.reducible(order):
        state.close(order, EngineOrderStatus.REDUCE_ONLY_CANCELED)
    elif order.left:
        rest(state, order)
        state.tell(order, EngineOrderStatus.OPEN)
    return OrderResult(order)


def refuse(state: ExchangeState, order: ExchangeOrder, error: str) -> OrderResult:
    """Remember a refused order: `orderStatus` knows it by its number and its cloid."""
    account = state.accounts[order.owner]
    bearer = account.cloids.get(order.cloid) if order.cloid is not None else None
    state.admit(order)
    account.ended(order)
    if order.cloid is not None and bearer is not None:
        account.cloids[order.cloid] = bearer
    word = (
        "badAloPxRejected"
        if error.startswith("Post only")
        else error_messages.REJECTED_AS.get(error, EngineOrderStatus.REJECTED)
    )
    state.tell(order, word)
    return OrderResult(order, error)


def place_group(
    state: ExchangeState, owner: str, requests: Sequence[OrderRequest], grouping: OrderGrouping
) -> list[OrderResult]:
    """Place the orders of one request, each or as a group; one answer an order."""
    if grouping is OrderGrouping.NONE:
        return [_place_one(state, owner, request, grouping) for request in requests]
    stops = [r for r in requests if r.trigger_px is not None]
    entries = [r for r in requests if r.trigger_px is None]
    same = len({r.asset for r in requests}) == 1 and all(r.reduce_only for r in stops)
    wanted = 1 if grouping is OrderGrouping.ENTRY_WITH_EXITS else 0
    if not 1 <= len(stops) <= 2 or len(entries) != wanted or not same or (wanted and requests[0] is not entries[0]):
        return [OrderResult(error=error_messages.TRIGGER_COUNT) for _ in requests]
    if wanted:
        return _entry_with_exits(state, owner, requests)
    answers = [_place_one(state, owner, request, grouping) for request in requests]
    relate([a.order for a in answers if a.order is not None and not a.error])
    return [a if a.error else OrderResult(a.order, waits_for="waitingForTrigger") for a in answers]


def _place_one(state: ExchangeState, owner: str, request: OrderRequest, grouping: OrderGrouping) -> OrderResult:
    order, error = read(state, owner, request, grouping)
    if order is None:
        return OrderResult(error=error)
    return place(state, order)


def _entry_with_exits(state: ExchangeState, owner: str, requests: Sequence[OrderRequest]) -> list[OrderResult]:
    read_orders = [read(state, owner, request, OrderGrouping.ENTRY_WITH_EXITS) for request in requests]
    errors = [error for _, error in read_orders]
    if any(errors):
        first = next(e for e in errors if e)
        return [OrderResult(error=e or first) for e in errors]
    entry, *exits = (order for order, _ in read_orders if order is not None)
    mark = state.markets[entry.asset].mark
    reference = mark if (entry.px - mark) * entry.side >= 0 else entry.px
    for exit_order in exits:
        error = refusal(state, exit_order, reference)
        if not error and exit_order.side is entry.side:
            error = error_messages.NOT_REDUCING
        if error:
            return [OrderResult(error=error) for _ in requests]
    answer = place(state, entry)
    if answer.error:
        return [answer, *(OrderResult(error=answer.error) for _ in exits)]
    for exit_order in exits:
        state.admit(exit_order)
        exit_order.is_waiting, exit_order.parent = True, entry.oid
        state.tell(exit_order, EngineOrderStatus.OPEN)
    relate(exits)
    entry.related = tuple(o.oid for o in exits)
    state.touched.add((owner, entry.asset))
    word = "waitingForTrigger" if entry.status == EngineOrderStatus.FILLED else "waitingForFill"
    return [answer, *(OrderResult(o, waits_for=word) for o in exits)]


def relate(orders: Sequence[ExchangeOrder]) -> None:
    """Make orders siblings."""
    for order in orders:
        order.related = tuple(o.oid for o in orders if o is not order)
