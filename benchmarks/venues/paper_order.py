"""How long an in-process paper order takes, from the port's call to its answer, beside a reference of the same run.

`python benchmarks/venues/paper_order.py [--orders N]` prints microseconds (p50, p99) of three orders: taken whole by an
immediate-or-cancel order, resting and cancelled, and the same taker order saved to a store in memory. The reference is
the probe desk's matcher (`lotus_venues.paper`), which neither rests, margins nor remembers; calls are interleaved, so
that both meet the same neighbours. The accounts have `BEHIND` finished orders behind them.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

import click

from lotus.manifest import Asset
from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import NewOrder, OrderState, Side, TimeInForce, client_order_id
from lotus_venues.orders import Order, OrderStatus
from lotus_venues.paper import PaperVenue
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.money import PaperTerms
from lotus_venues.paper_account.state import Stored
from lotus_venues.paper_account.venue import PaperAccountVenue

UNIVERSE = tuple(Asset(name, 5) for name in ("BTC", "ETH", "SOL", "HYPE", "XRP", "DOGE", "SUI", "LINK", "AVAX", "BNB"))
START_NS = 1_760_000_000_000 * NS_PER_MS
BIDS = [(1_000_000 - 10 * level, 10**9) for level in range(20)]
ASKS = [(1_000_010 + 10 * level, 10**9) for level in range(20)]
SIZE, PX = Decimal("0.001"), Decimal(100_001)
BEHIND = 2_000


class Bench:
    """A paper venue with a book, and the probe desk's matcher with the same book."""

    def __init__(self, stored: bool) -> None:
        """Show both the same market."""
        self.now_ns = START_NS
        self.store = MemoryStore() if stored else None
        self.market = PaperAccount(UNIVERSE, PaperTerms(Decimal(10**7)))
        self.venue = PaperAccountVenue(self.market, lambda: self.now_ns, self.store)
        self.probe = PaperVenue(UNIVERSE, 4.5)
        for asset in range(len(UNIVERSE)):
            self.market.on_context(asset, self.now_ns, 1_000_000, 1_000_000, 0)
            self.market.on_book(asset, self.now_ns, self.now_ns // NS_PER_MS, BIDS, ASKS)
            self.probe.on_book(asset, self.now_ns, 0, BIDS, ASKS, True)
        self.count = 0

    def order(self, px: Decimal, tif: TimeInForce) -> NewOrder:
        """Return a fresh order, sides in turn."""
        self.count += 1
        self.now_ns += NS_PER_MS
        side = Side.BUY if self.count % 2 else Side.SELL
        return NewOrder(client_order_id(str(self.count), "entry"), "BTC", side, SIZE, px - (side < 0) * 20, tif)

    async def take(self) -> None:
        """Place an order that is filled at once."""
        (update,) = await self.venue.place([self.taker])
        assert update.state is OrderState.FILLED

    async def rest_and_cancel(self) -> None:
        """Place an order that rests, and cancel it."""
        (update,) = await self.venue.place([self.maker])
        assert update.state is OrderState.RESTING
        (update,) = await self.venue.cancel("BTC", [self.maker.client_id])
        assert update.state is OrderState.CANCELED

    def prepare(self) -> None:
        """Make the next orders, unmeasured."""
        self.taker = self.order(PX, TimeInForce.IOC)
        side, px = self.taker.side, self.taker.limit_px
        self.maker = self.order(Decimal(100_000) - 50, TimeInForce.GTC)
        self.maker = NewOrder(self.maker.client_id, "BTC", Side.BUY, SIZE, Decimal(99_950))
        name = client_order_id(str(self.count), "probe")
        self.probe_order = Order(name, name, "exit", 0, Side(side), SIZE, px, self.now_ns, self.now_ns)

    async def reference(self) -> None:
        """Let the probe desk's matcher fill the same order."""
        self.probe.submit(self.probe_order)
        outcome = self.probe.on_bbo(0, self.now_ns, 1, BIDS[0], ASKS[0])
        assert outcome.reports[-1].status is OrderStatus.FILLED


class MemoryStore:
    """Keeps JSON text in memory, as much of a store as costs nothing but the encoding."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.text = ""

    def load(self) -> Stored | None:
        """Return nothing."""
        return None

    def save(self, change: Stored) -> None:
        """Encode a change."""
        self.text = json.dumps(change)


async def measure(bench: Bench, works: Sequence[Callable[[], Awaitable[None]]], orders: int) -> list[list[int]]:
    """Return the nanoseconds of each work, done in turn."""
    took: list[list[int]] = [[] for _ in works]
    for _ in range(orders):
        bench.prepare()
        for index, work in enumerate(works):
            began = time.perf_counter_ns()
            await work()
            took[index].append(time.perf_counter_ns() - began)
    return took


async def run(orders: int) -> list[tuple[str, list[int], list[int]]]:
    """Return (name, times, reference times) of each figure."""
    plain, stored = Bench(stored=False), Bench(stored=True)
    await plain.venue.connect()
    await stored.venue.connect()
    await measure(plain, [plain.take], BEHIND)
    await measure(stored, [stored.take], BEHIND)
    taken, rested, first = await measure(plain, [plain.take, plain.rest_and_cancel, plain.reference], orders)
    saved, second = await measure(stored, [stored.take, stored.reference], orders)
    return [
        ("order taken", taken, first),
        ("order rested and cancelled (two requests)", rested, first),
        ("order taken, saved as JSON in memory", saved, second),
    ]


def quantile(times: list[int], share: float) -> float:
    """Return a quantile in microseconds."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))] / 1e3


@click.command()
@click.option("--orders", default=20_000, help="Orders of each kind.")
def main(orders: int) -> None:
    """Print one line a figure."""
    for name, times, reference in asyncio.run(run(orders)):
        p50, p99, base = quantile(times, 0.5), quantile(times, 0.99), quantile(reference, 0.5)
        ours, theirs = f"p50 {p50:.1f} us, p99 {p99:.1f} us", f"probe desk's matcher p50 {base:.1f} us"
        click.echo(f"{name}: {ours}; {theirs}, ratio {p50 / base:.2f}")


if __name__ == "__main__":
    main()
