"""Orders, fills and refusals as value types, with the client order id that makes a repeated order the same order.

Prices and sizes are integers in the tape's units (10^-(6-szDecimals) USD and lots of 10^-szDecimals), so a notional
is an exact integer of millionths of a dollar. No venue behaviour belongs here.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from lotus.trading.execution.orders import Side

MICRO_USD = 1_000_000


class OrderStatus(StrEnum):
    """Where an order stands; the last four are final."""

    ACCEPTED = "accepted"
    FILLED = "filled"
    PARTIALLY_FILLED = "partially_filled"
    CANCELED = "canceled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Order:
    """An immediate-or-cancel order; `limit_px` None is a market order; it may match from `active_ns` on.

    `purpose` is `entry` or `exit`; `event_id` names the published window that it belongs to.
    """

    client_id: str
    event_id: str
    purpose: str
    asset: int
    side: Side
    size: Decimal
    limit_px: Decimal | None
    placed_ns: int
    active_ns: int


@dataclass(frozen=True, slots=True)
class Fill:
    """One level taken by an order. Price in price units, size in lots, money in millionths of a dollar."""

    client_id: str
    event_id: str
    asset: int
    side: Side
    px: int
    lots: int
    fee_micro: int
    recv_ns: int
    seq: int
    index: int

    @property
    def notional_micro(self) -> int:
        """Value of the fill."""
        return self.px * self.lots


@dataclass(frozen=True, slots=True)
class OrderReport:
    """The state of an order after something happened to it; `reason` is the venue's text for a refusal."""

    order: Order
    status: OrderStatus
    filled_lots: int
    recv_ns: int
    reason: str = ""
