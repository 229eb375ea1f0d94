"""Orders, fills and events of the local exchange in integer price units, lots and millionths of a dollar.

Values only: what happens to them is decided in `engine`, how they are spelt on the wire in `wire_out`.
"""

from dataclasses import dataclass
from enum import StrEnum

from lotus.trading.execution.orders import OrderGrouping, Side, TimeInForce, TriggerKind

UNSEEN = 1 << 60  # queue ahead of an order whose price the tape did not show when it joined


class EngineOrderStatus(StrEnum):
    """Status words that the engine itself gives (refusals have more, see `texts`)."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    TRIGGERED = "triggered"
    REJECTED = "rejected"
    MARGIN_CANCELED = "marginCanceled"
    SELF_TRADE_CANCELED = "selfTradeCanceled"
    REDUCE_ONLY_CANCELED = "reduceOnlyCanceled"
    SIBLING_FILLED_CANCELED = "siblingFilledCanceled"
    LIQUIDATED_CANCELED = "liquidatedCanceled"
    SCHEDULED_CANCEL = "scheduledCancel"
    IOC_CANCELED = "iocCancelRejected"
    NO_LIQUIDITY = "marketOrderNoLiquidityRejected"


class SmallExits(StrEnum):
    """Which reduce-only orders may be worth less than the venue's least value."""

    ALL = "all"
    FULL = "full"  # those that close the whole position
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ExitRules:
    """What is not known of the venue: may an immediate reduce-only order be larger than the position, or small?"""

    is_strict: bool = False
    small: SmallExits = SmallExits.ALL


@dataclass(frozen=True, slots=True)
class Stop:
    """Trigger of an order: mark price in units, stop or take-profit, market or limit."""

    px: int
    kind: TriggerKind
    is_market: bool


@dataclass(slots=True, eq=False)
class ExchangeOrder:
    """One order with its life. `ahead` is what stands before it in the queue of its price.

    `unexplained` lots left the queue ahead of it by a book of time `explained_ms`: prints up to that time are them.
    `joined_ms` is the market's time when it joined: older prints do not fill it.
    """

    oid: int
    owner: str
    asset: int
    side: Side
    px: int
    lots: int
    left: int
    tif: TimeInForce
    reduce_only: bool
    placed_ms: int
    cloid: str | None = None
    stop: Stop | None = None
    grouping: OrderGrouping = OrderGrouping.NONE
    status: str = EngineOrderStatus.OPEN
    status_ms: int = 0
    cost: int = 0  # sum of px * lots of its fills
    ahead: int = 0
    unexplained: int = 0
    explained_ms: int = 0
    joined_ms: int = 0
    is_market: bool = False  # an immediate order that the venue's pages call a market order
    is_waiting: bool = False  # for its trigger, or for its parent's fill
    has_triggered: bool = False
    parent: int | None = None
    related: tuple[int, ...] = ()  # children of an entry; siblings of an exit

    @property
    def is_open(self) -> bool:
        """Whether it can still be filled."""
        return self.status == EngineOrderStatus.OPEN or self.status == EngineOrderStatus.TRIGGERED

    @property
    def filled(self) -> int:
        """Lots filled."""
        return self.lots - self.left


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """What `orderUpdates` tells of an order at a moment."""

    owner: str
    asset: int
    side: Side
    px: int
    left: int
    oid: int
    placed_ms: int
    lots: int
    cloid: str | None
    status: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class ExchangeFill:
    """One side of one execution. `start_lots` is the position before, `liquidated` the mark at a liquidation."""

    owner: str
    asset: int
    side: Side
    px: int
    lots: int
    time_ms: int
    oid: int
    cloid: str | None
    crossed: bool
    fee_micro: int
    closed_micro: int
    start_lots: int
    tid: int
    liquidated: int | None = None


@dataclass(frozen=True, slots=True)
class Funding:
    """Funding paid by (negative: to) an account at an hour; `rate_e10` is the hourly rate in 10^-10."""

    owner: str
    asset: int
    paid_micro: int
    lots: int
    rate_e10: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Liquidation:
    """An account fell below its maintenance margin: notional and account value then."""

    owner: str
    lid: int
    notional_micro: int
    value_micro: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class VenueCancel:
    """An order was cancelled by the venue, not by its owner."""

    owner: str
    asset: int
    oid: int


Event = OrderChanged | ExchangeFill | Funding | Liquidation | VenueCancel


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it was asked for: prices and sizes still the texts of the wire."""

    asset: int
    is_buy: bool
    px: str
    size: str
    reduce_only: bool
    tif: str | None
    trigger_px: str | None = None
    is_market: bool = True
    kind: str | None = None
    cloid: str | None = None


@dataclass(frozen=True, slots=True)
class OrderResult:
    """What an order request came to: refused (`error`), filled, resting, or waiting."""

    order: ExchangeOrder | None = None
    error: str = ""
    waits_for: str = ""  # "waitingForFill" or "waitingForTrigger"


@dataclass(slots=True)
class Ids:
    """Counters of orders, executions and liquidations."""

    oid: int = 1_000_000
    tid: int = 0
    lid: int = 0
