"""The form of an order, checked before it is sent: tick, lot, minimum value, stops; and the venue's words of it."""

from typing import Final

from lotus.manifest import Asset
from lotus.trading.execution.orders import NewOrder, TriggerKind
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD, is_valid_px, is_valid_size

BAD_TICK: Final = "Price must be divisible by tick size."
BAD_SIZE: Final = "Order has invalid size."
TOO_SMALL: Final = "Order must have minimum value of $10."
BAD_TRIGGER: Final = "Invalid TP/SL price."
_WOULD_MATCH: Final = ("Post only order would have immediately matched", "badAloPxRejected")


def would_cross(reason: str) -> bool:
    """Return whether a refusal, in the venue's text or word, is of an order that must not cross and would have.

    >>> would_cross("badAloPxRejected"), would_cross("Insufficient margin to place order.")
    (True, False)
    """
    return reason.startswith(_WOULD_MATCH)


def form_fault(order: NewOrder, asset: Asset) -> str:
    """Return the venue's text for an order of a wrong form, empty for a right one. Exits may be of any value."""
    if not is_valid_size(asset, order.size):
        return BAD_SIZE
    if not is_valid_px(asset, order.limit_px) or (
        order.trigger is not None and not is_valid_px(asset, order.trigger.px)
    ):
        return BAD_TICK
    if order.size * order.limit_px < MIN_NOTIONAL_USD and not order.reduce_only:
        return TOO_SMALL
    stop = order.trigger if order.trigger is not None and order.trigger.kind is TriggerKind.STOP_LOSS else None
    if stop is not None and (order.limit_px - stop.px) * order.side < 0:
        return BAD_TRIGGER
    return ""
