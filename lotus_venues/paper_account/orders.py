"""What a paper account holds: orders, fills, funding and requests on their way, as plain integers that can be stored.

Prices are price units of 10^-(6 - szDecimals) USD, sizes lots of 10^-szDecimals, money millionths of a dollar: price
times lots is exact. Nothing here behaves. In the literature: the order table of a matching engine.
"""

from dataclasses import dataclass, field

from lotus.trading.execution.orders import OrderGrouping, OrderState, TimeInForce, TriggerKind

UNSEEN = -1


@dataclass(slots=True)
class PaperOrder:
    """One order. `trigger` 0 is none; `parent` names the entry whose fill wakes it, `exits` whom its own
    fill wakes, `siblings` what its fill ends.

    `queue` is what stands before it at its price (UNSEEN until that level is shown), `credit` the part of it that the
    book already showed gone, `crossed` the opposite size at or beyond its price that it has met, `joined_ms` the
    venue's time of the newest message when it joined; `done` lots were executed for `value_micro`.
    """

    client_id: str
    oid: int
    asset: int
    side: int
    lots: int
    left: int
    limit: int
    tif: TimeInForce
    reduce_only: bool
    placed_ms: int
    trigger: int = 0
    kind: TriggerKind = TriggerKind.STOP_LOSS
    trigger_market: bool = True
    parent: str = ""
    exits: list[str] = field(default_factory=list)
    siblings: list[str] = field(default_factory=list)
    whole_position: bool = False
    state: OrderState = OrderState.WAITING
    queue: int = UNSEEN
    credit: int = 0
    crossed: int = 0
    joined_ms: int = 0
    done: int = 0
    value_micro: int = 0
    reason: str = ""
    changed_ms: int = 0


def tied_to(order: PaperOrder) -> list[str]:
    """Return the names of the orders that live and die with this one."""
    return [*([order.parent] if order.parent else []), *order.exits, *order.siblings]


@dataclass(frozen=True, slots=True)
class PaperFill:
    """One execution; `client_id` is empty for a liquidation."""

    number: int
    client_id: str
    oid: int
    asset: int
    side: int
    lots: int
    px: int
    fee_micro: int
    is_taker: bool
    time_ms: int


@dataclass(frozen=True, slots=True)
class PaperFunding:
    """Funding paid (negative: received) on a coin at a full hour, on so many signed lots."""

    asset: int
    hour: int
    lots: int
    paid_micro: int
    rate_e12: int


@dataclass(frozen=True, slots=True)
class OrderForm:
    """An order as asked for, in integers; `refusal` is the venue's text where its form is already wrong."""

    client_id: str
    asset: int
    side: int
    lots: int
    limit: int
    tif: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    trigger: int = 0
    kind: TriggerKind = TriggerKind.STOP_LOSS
    trigger_market: bool = True
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that reaches the venue at `due_ns`: orders to place, names to cancel, or one order to modify."""

    number: int
    due_ns: int
    placed: tuple[OrderForm, ...] = ()
    grouping: OrderGrouping = OrderGrouping.NONE
    canceled: tuple[str, ...] = ()
    modified: OrderForm | None = None


@dataclass(slots=True)
class PaperPosition:
    """Signed lots, their signed cost, and the leverage set for the coin."""

    lots: int = 0
    cost_micro: int = 0
    leverage: int = 10
    is_cross: bool = True

    def apply(self, side: int, lots: int, px: int) -> int:
        """Add an execution and return what it realised before fees: average-cost accounting, in exact integers."""
        signed, realised = side * lots, 0
        closing = min(abs(self.lots), lots) if self.lots * signed < 0 else 0
        if closing:
            cost = self.cost_micro * closing // abs(self.lots)
            realised = -side * px * closing - cost
            self.cost_micro -= cost
        self.cost_micro += side * px * (lots - closing)
        self.lots += signed
        return realised


@dataclass(slots=True)
class Quote:
    """Mark and oracle price (0: not known yet) and the hourly funding rate times 10^12 of one coin."""

    mark: int = 0
    oracle: int = 0
    rate_e12: int = 0
    time_ms: int = 0
    trade_ms: int = 0
    trade_ids: list[int] = field(default_factory=list)
