"""Accounts in exact integers: raw dollars, positions, margin. Money is millionths of a dollar.

`raw_micro` is deposits minus the signed cost of everything held, fees and funding, so an account's value is raw plus
positions at the mark price, and raw dollars over all accounts, the market, fees and the insurance sum to the deposits.
Orders and books do not belong here. In the literature: cross and isolated margin of linear perpetuals.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lotus.trading.execution.orders import Side
from lotus_venues.fees import TIERS
from lotus_venues.local_exchange.engine.values import ExchangeFill, ExchangeOrder, Funding

KEPT_FILLS = 10_000
DAY_MS = 86_400_000
VOLUME_DAYS = 14
DEFAULT_LEVERAGE = 20
START_REQUESTS = 10_000


@dataclass(slots=True)
class ExchangePosition:
    """Signed lots with their signed cost; an isolated one has raw dollars of its own."""

    leverage: int
    is_cross: bool = True
    lots: int = 0
    cost_micro: int = 0
    raw_micro: int = 0
    funding_micro: int = 0
    funding_since_open_micro: int = 0

    def apply(self, side: Side, px: int, lots: int) -> int:
        """Change size and cost by a fill; return the realised result of the part that closed (before fees)."""
        signed = lots * side
        closing = min(abs(self.lots), lots) if self.lots * signed < 0 else 0
        closed = 0
        if closing:
            cost = self.cost_micro * closing // abs(self.lots)
            closed = -side * px * closing - cost
            self.cost_micro -= cost
        if lots > closing:
            self.cost_micro += side * px * (lots - closing)
            if closing or not self.lots:
                self.funding_since_open_micro = 0
        self.lots += signed
        return closed


@dataclass(slots=True)
class Account:
    """One address: money, positions, open orders, what it did."""

    address: str
    raw_micro: int = 0
    deposits_micro: int = 0
    positions: dict[int, ExchangePosition] = field(default_factory=dict)
    open: dict[int, ExchangeOrder] = field(default_factory=dict)
    exits: dict[int, ExchangeOrder] = field(
        default_factory=dict
    )  # of the open: those that a fill of another may end or wake
    cloids: dict[str, int] = field(default_factory=dict)
    fills: deque[ExchangeFill] = field(default_factory=lambda: deque(maxlen=KEPT_FILLS))
    fundings: list[Funding] = field(default_factory=list)
    resting: dict[tuple[int, Side], int] = field(default_factory=dict)  # lots that would add to a position
    resting_oids: set[int] = field(default_factory=set)
    volume_micro: int = 0
    volume_by_day: dict[int, int] = field(default_factory=dict)
    requests_used: int = 0
    last_excess_ms: int = 0
    scheduled_ms: int | None = None
    schedule_day: int = 0
    schedules_fired: int = 0

    def position(self, asset: int, max_leverage: int, is_cross: bool = True) -> ExchangePosition:
        """Return the position of an asset, flat at the default leverage and in that mode when there was none."""
        position = self.positions.get(asset)
        if position is None:
            position = self.positions[asset] = ExchangePosition(min(DEFAULT_LEVERAGE, max_leverage), is_cross)
        return position

    def lots(self, asset: int) -> int:
        """Signed lots held of an asset."""
        position = self.positions.get(asset)
        return position.lots if position else 0

    def held(self, *, cross: bool | None = None) -> Iterator[tuple[int, ExchangePosition]]:
        """Yield (asset, position) of what is not flat, of one margin mode or both."""
        for asset, position in self.positions.items():
            if position.lots and cross in (None, position.is_cross):
                yield asset, position

    def cross_value(self, marks: Sequence[int]) -> int:
        """Return raw dollars plus cross positions at their marks."""
        return self.raw_micro + sum(p.lots * marks[a] for a, p in self.held(cross=True))

    def value(self, marks: Sequence[int]) -> int:
        """Return the account value, isolated positions with their margin included."""
        return self.cross_value(marks) + sum(p.raw_micro + p.lots * marks[a] for a, p in self.held(cross=False))

    def initial_margin(self, marks: Sequence[int], extra: Mapping[tuple[int, Side], int] | None = None) -> int:
        """Return the margin that cross positions and all orders need in the worse case of each asset.

        `extra` are lots of an order about to be placed, by asset and side.
        """
        extra = extra or {}
        assets = {a for a, _ in self.held()} | {a for a, _ in self.resting} | {a for a, _ in extra}
        total = 0
        for asset in assets:
            buys = self.resting.get((asset, Side.BUY), 0) + extra.get((asset, Side.BUY), 0)
            sells = self.resting.get((asset, Side.SELL), 0) + extra.get((asset, Side.SELL), 0)
            position = self.positions[asset]
            worst = max(abs(position.lots + buys), abs(position.lots - sells))
            lots = worst if position.is_cross else max(0, worst - abs(position.lots))
            total += -(-lots * marks[asset] // position.leverage)
        return total

    def maintenance(self, marks: Sequence[int], max_leverages: Sequence[int], *, cross: bool | None = True) -> int:
        """Return the maintenance margin: half the initial margin at the highest leverage of each asset."""
        return sum(abs(p.lots) * marks[a] // (2 * max_leverages[a]) for a, p in self.held(cross=cross))

    def opened(self, order: ExchangeOrder) -> None:
        """Take an order among the open ones."""
        self.open[order.oid] = order
        if order.reduce_only or order.stop is not None:
            self.exits[order.oid] = order

    def ended(self, order: ExchangeOrder) -> None:
        """Take an order out of the open ones."""
        self.open.pop(order.oid, None)
        self.exits.pop(order.oid, None)

    def rest(self, order: ExchangeOrder) -> None:
        """Count an order that joined the book."""
        self.resting_oids.add(order.oid)
        self._count(order, order.left)

    def unrest(self, order: ExchangeOrder) -> None:
        """Count an order that left the book."""
        self.resting_oids.discard(order.oid)
        self._count(order, -order.left)

    def reduced(self, order: ExchangeOrder, lots: int) -> None:
        """Count lots of a resting order that were filled; with none left it rests no more."""
        self._count(order, -lots)
        if not order.left:
            self.resting_oids.discard(order.oid)

    def _count(self, order: ExchangeOrder, lots: int) -> None:
        if order.reduce_only or not lots:
            return
        key = (order.asset, order.side)
        left = self.resting.get(key, 0) + lots
        if left:
            self.resting[key] = left
        else:
            self.resting.pop(key, None)

    def fee_tier(self, now_ms: int) -> int:
        """Return the tier of the volume of the last 14 days, today left out as the venue does."""
        today = now_ms // DAY_MS
        volume = sum(v for day, v in self.volume_by_day.items() if today - VOLUME_DAYS <= day < today)
        return max(i for i, (least, _, _) in enumerate(TIERS) if volume >= least * 1_000_000)

    def traded(self, notional_micro: int, now_ms: int) -> None:
        """Count volume."""
        self.volume_micro += notional_micro
        day = now_ms // DAY_MS
        self.volume_by_day[day] = self.volume_by_day.get(day, 0) + notional_micro
        for old in [d for d in self.volume_by_day if d < day - VOLUME_DAYS]:
            del self.volume_by_day[old]

    @property
    def request_cap(self) -> int:
        """Requests the address may have sent since its start: 10,000 and one per dollar traded."""
        return START_REQUESTS + self.volume_micro // 1_000_000
