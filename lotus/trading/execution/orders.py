"""Orders as the trader sends them and as a venue tells them back: value types at the venue port, in exact decimals.

Sizes are base units, prices USD, money USD, times milliseconds (UTC). Nothing here behaves; no venue's wording belongs
here except its own text of a refusal, kept as it came. In the literature: the order entry half of an OMS.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum

from lotus.hashing import natural_id


class Side(IntEnum):
    """Direction of an order."""

    BUY = 1
    SELL = -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side(-self)


class TimeInForce(StrEnum):
    """How long a limit order rests: until cancelled, not at all, or only if it adds liquidity."""

    GTC = "Gtc"
    IOC = "Ioc"
    ALO = "Alo"


class TriggerKind(StrEnum):
    """What a trigger order protects: a loss or a gain."""

    STOP_LOSS = "sl"
    TAKE_PROFIT = "tp"


class OrderGrouping(StrEnum):
    """How the orders of one request belong together.

    `ENTRY_WITH_EXITS`: the first is an entry, the others its stop and take-profit, which live and die with it;
    `POSITION_EXITS`: exits of the whole position.
    """

    NONE = "na"
    ENTRY_WITH_EXITS = "normalTpsl"
    POSITION_EXITS = "positionTpsl"


class OrderState(StrEnum):
    """Where an order stands. `UNKNOWN` stays until the venue answers; the last four are final."""

    UNKNOWN = "unknown"
    WAITING = "waiting"  # accepted, for its trigger or the fill of its entry
    RESTING = "resting"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    NEVER_PLACED = "never_placed"  # the venue does not know it and never will

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self in (OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.NEVER_PLACED)


@dataclass(frozen=True, slots=True)
class OrderTrigger:
    """The condition of a stop or take-profit: the mark price passes `px`; then a market or a limit order is sent."""

    px: Decimal
    kind: TriggerKind
    is_market: bool = True


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order to be placed. `client_id` (0x and 32 hexadecimal characters) names it permanently.

    A market order is an IOC with a limit beyond the market; with a `trigger` the limit bounds its execution.
    """

    client_id: str
    coin: str
    side: Side
    size: Decimal
    limit_px: Decimal
    tif: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    trigger: OrderTrigger | None = None


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """What a venue says of an order: its state, its own number (None: none given), and what is left of it.

    `reason` is the venue's text of a refusal or its word for a cancellation; `average_px` is of what was filled;
    `would_cross`: it is refused because it must not cross and the market has come to its price.
    """

    client_id: str
    state: OrderState
    time_ms: int
    oid: int | None = None
    filled: Decimal = Decimal(0)
    average_px: Decimal | None = None
    reason: str = ""
    would_cross: bool = False


@dataclass(frozen=True, slots=True)
class VenueFill:
    """One execution. `fill_id` is unique at its venue; `fee_usd` is negative for a rebate; `is_taker` crossed.

    `client_id` is empty for an order that was not ours by name (a liquidation, an order of the venue's pages).
    """

    fill_id: str
    client_id: str
    oid: int
    coin: str
    side: Side
    size: Decimal
    px: Decimal
    fee_usd: Decimal
    is_taker: bool
    time_ms: int


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """Funding paid (positive) or received (negative) on a position at an hour."""

    coin: str
    usd: Decimal
    size: Decimal
    rate: Decimal
    time_ms: int


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that a venue holds."""

    client_id: str
    oid: int
    coin: str
    side: Side
    size: Decimal
    left: Decimal
    limit_px: Decimal
    placed_ms: int
    reduce_only: bool = False
    trigger: OrderTrigger | None = None


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """A signed position (positive is long) with its average entry price; `liquidation_px` None when it has none."""

    coin: str
    size: Decimal
    entry_px: Decimal
    unrealised_usd: Decimal
    margin_usd: Decimal
    leverage: int
    is_cross: bool = True
    liquidation_px: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """What a venue says of the account at a time: equity with open results, margin in use, and all positions."""

    equity_usd: Decimal
    margin_used_usd: Decimal
    withdrawable_usd: Decimal
    positions: tuple[VenuePosition, ...]
    time_ms: int


def client_order_id(plan_id: str, purpose: str, slice_index: int = 0) -> str:
    """Return the deterministic client order id of one order of a plan: the same plan and slice is the same order.

    >>> client_order_id("ab", "entry") == client_order_id("ab", "entry", 0) != client_order_id("ab", "entry", 1)
    True
    """
    return "0x" + natural_id("order", plan_id, purpose, slice_index)
