"""Orders to the venue's words and back: request actions, answers by order, status words, fills and funding.

Pure translation, no state, no request. The venue's words are an open set: one that is not known ends in `Canceled` or
`Rejected` being part of it, otherwise the order is taken as it was. In the literature: anti-corruption layer.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from lotus.errors import WireError
from lotus.trading.execution.orders import (
    FundingPayment,
    NewOrder,
    OpenOrder,
    OrderGrouping,
    OrderState,
    OrderTrigger,
    OrderUpdate,
    Side,
    TriggerKind,
    VenueFill,
)
from lotus_venues.order_form import would_cross

UNKNOWN_OID: Final = "unknownOid"
_STATES: Final[Mapping[str, OrderState]] = {
    "open": OrderState.RESTING,
    "triggered": OrderState.RESTING,
    "filled": OrderState.FILLED,
    "rejected": OrderState.REJECTED,
    "canceled": OrderState.CANCELED,
    "scheduledCancel": OrderState.CANCELED,
}


def decimal_text(value: Decimal) -> str:
    """Return a number as the venue wants it: no exponent, no trailing zeros.

    >>> decimal_text(Decimal("1.500")), decimal_text(Decimal("1E+5"))
    ('1.5', '100000')
    """
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def order_wire(order: NewOrder, asset: int) -> dict[str, Any]:
    """Return an order as the venue's action holds it; the order of keys is part of what is signed."""
    kind: dict[str, Any] = {"limit": {"tif": order.tif.value}}
    if order.trigger is not None:
        trigger = order.trigger
        px = decimal_text(trigger.px)
        kind = {"trigger": {"isMarket": trigger.is_market, "triggerPx": px, "tpsl": trigger.kind.value}}
    return {
        "a": asset,
        "b": order.side is Side.BUY,
        "p": decimal_text(order.limit_px),
        "s": decimal_text(order.size),
        "r": order.reduce_only,
        "t": kind,
        "c": order.client_id,
    }


def place_action(wires: Sequence[dict[str, Any]], grouping: OrderGrouping) -> dict[str, Any]:
    """Return the action that places orders."""
    return {"type": "order", "orders": list(wires), "grouping": grouping.value}


def cancel_action(asset: int, client_ids: Sequence[str]) -> dict[str, Any]:
    """Return the action that cancels orders by name."""
    return {"type": "cancelByCloid", "cancels": [{"asset": asset, "cloid": name} for name in client_ids]}


def modify_action(wire: dict[str, Any]) -> dict[str, Any]:
    """Return the action that replaces an order of the same name."""
    return {"type": "batchModify", "modifies": [{"oid": wire["c"], "order": wire}]}


def statuses_of(answer: Any) -> list[Any] | str:
    """Return an answer's entries, one an order, or its text when the whole request was refused.

    Raises `WireError` when it is neither: then nobody knows what happened.
    """
    if isinstance(answer, dict) and answer.get("status") == "err" and isinstance(answer.get("response"), str):
        return str(answer["response"])
    try:
        if answer["status"] == "ok":
            response = answer["response"]
            return list(response["data"]["statuses"]) if "data" in response else []
    except (TypeError, KeyError) as error:
        raise WireError("an answer to a trading request has another form", "status and response") from error
    raise WireError("an answer to a trading request has another form", "status ok or err")


def placed_update(entry: Any, order: NewOrder, now_ms: int) -> OrderUpdate:
    """Return what one entry of a request's answer says of its order. Raises `WireError` for another form."""
    name = order.client_id
    if isinstance(entry, str):
        return OrderUpdate(name, OrderState.WAITING, now_ms)
    if "error" in entry:
        reason = str(entry["error"])
        return OrderUpdate(name, OrderState.REJECTED, now_ms, reason=reason, would_cross=would_cross(reason))
    if "filled" in entry:
        payload = entry["filled"]
        filled = Decimal(payload["totalSz"])
        is_all = filled >= order.size
        state, reason = (OrderState.FILLED, "") if is_all else (OrderState.CANCELED, "canceled")
        average = Decimal(payload["avgPx"])
        return OrderUpdate(name, state, now_ms, int(payload["oid"]), filled, average_px=average, reason=reason)
    if "resting" in entry:
        state = OrderState.WAITING if order.trigger is not None else OrderState.RESTING
        return OrderUpdate(name, state, now_ms, int(entry["resting"]["oid"]))
    raise WireError(f"an order was answered with {sorted(entry)}", "resting, filled or error")


def told_state(word: str, is_trigger: bool) -> OrderState:
    """Return the state behind a status word; an open trigger waits.

    >>> told_state("siblingFilledCanceled", True), told_state("perpMarginRejected", False)
    (<OrderState.CANCELED: 'canceled'>, <OrderState.REJECTED: 'rejected'>)
    """
    if word == "open" and is_trigger:
        return OrderState.WAITING
    if word in _STATES:
        return _STATES[word]
    if word.endswith("Canceled"):
        return OrderState.CANCELED
    return OrderState.REJECTED if word.endswith("Rejected") else OrderState.RESTING


def filled_of(payload: Mapping[str, Any], state: OrderState) -> Decimal:
    """Return what an order had filled: all of it when filled, else the original size less what was left."""
    original = Decimal(payload["origSz"])
    if state in (OrderState.REJECTED, OrderState.WAITING):
        return Decimal(0)
    return original if state is OrderState.FILLED else original - Decimal(payload["sz"])


def fill_of(payload: Mapping[str, Any], names: Mapping[int, str]) -> VenueFill:
    """Return a fill; `names` gives the client id of an order number where the fill does not say it."""
    oid = int(payload["oid"])
    name = payload.get("cloid") or names.get(oid, "")
    side = Side.BUY if payload["side"] == "B" else Side.SELL
    size, px, fee = Decimal(payload["sz"]), Decimal(payload["px"]), Decimal(payload["fee"])
    taker, stamp = bool(payload["crossed"]), int(payload["time"])
    return VenueFill(
        fill_id=str(payload["tid"]),
        client_id=name,
        oid=oid,
        coin=payload["coin"],
        side=side,
        size=size,
        px=px,
        fee_usd=fee,
        is_taker=taker,
        time_ms=stamp,
    )


def funding_of(payload: Mapping[str, Any]) -> FundingPayment:
    """Return a funding payment: the venue tells what the account received, the port what it paid."""
    usd, size, rate = -Decimal(payload["usdc"]), Decimal(payload["szi"]), Decimal(payload["fundingRate"])
    return FundingPayment(payload["coin"], usd, size, rate, int(payload["time"]))


def open_order_of(payload: Mapping[str, Any]) -> OpenOrder:
    """Return an open order of `frontendOpenOrders`."""
    trigger = None
    if payload.get("isTrigger"):
        kind = TriggerKind.TAKE_PROFIT if str(payload["orderType"]).startswith("Take Profit") else TriggerKind.STOP_LOSS
        trigger = OrderTrigger(Decimal(payload["triggerPx"]), kind, str(payload["orderType"]).endswith("Market"))
    return OpenOrder(
        client_id=payload.get("cloid") or "",
        oid=int(payload["oid"]),
        coin=payload["coin"],
        side=Side.BUY if payload["side"] == "B" else Side.SELL,
        size=Decimal(payload["origSz"]),
        left=Decimal(payload["sz"]),
        limit_px=Decimal(payload["limitPx"]),
        placed_ms=int(payload["timestamp"]),
        reduce_only=bool(payload.get("reduceOnly", False)),
        trigger=trigger,
    )
