"""A paper account on real frames: it repeats itself, and no order does better than the market it was shown."""

import gzip
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from lotus.manifest import Asset
from lotus.microtape.wire.decode import Decoder
from lotus.trading.execution.orders import OrderState, TimeInForce, VenueFill, client_order_id
from lotus.trading.venue import VenueEvent
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.feed import show
from lotus_venues.paper_account.money import PaperTerms
from lotus_venues.paper_account.orders import OrderForm

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2))
RECORDING = "hyperliquid-2025-09-03-outages/frames.jsonl.gz"
EVERY = 40


@dataclass
class Ride:
    """What an account did on a recording: its events, and by price and side what really traded after each order."""

    account: PaperAccount = field(
        default_factory=lambda: PaperAccount(UNIVERSE, PaperTerms(Decimal(1_000_000), latency_ms=100))
    )
    told: list[VenueEvent] = field(default_factory=list)
    placed: int = 0

    def run(self, raw: bytes) -> "Ride":
        """Show every line, and place an order each so many events: takers, and makers at the best price."""
        decoder = Decoder(UNIVERSE)
        seen = 0
        for number, line in enumerate(raw.splitlines()):
            stamp, _, frame = line.partition(b" ")
            decoded = decoder.decode_line(int(stamp), frame, number)
            if not decoded.kind:
                continue
            values = decoder.pool[: decoded.end].tolist()
            show(self.account, decoded.kind, decoded.asset, int(stamp), decoded.time_ms, values)
            seen += 1
            if seen % EVERY == 0:
                self._place(decoded.asset, int(stamp))
            self.told += self.account.take_events()
        return self

    def _place(self, asset: int, now_ns: int) -> None:
        ladder = self.account.state.ladders[asset]
        if not ladder.is_two_sided:
            return
        self.placed += 1
        side = 1 if self.placed % 2 else -1
        best = ladder.bids[0][0] if side > 0 else ladder.asks[0][0]
        is_taker = self.placed % 3 == 0
        limit = best + side * 10_000 if is_taker else best
        tif = TimeInForce.IOC if is_taker else TimeInForce.GTC
        name = client_order_id(str(self.placed), "entry")
        lots = (50 * 10**6) // best + 1
        self.account.place(now_ns, [OrderForm(name, asset, side, lots, limit, tif)])


@pytest.mark.recordings
def test_a_recording_fills_the_same_orders_twice() -> None:
    path = DATA / RECORDING
    if not path.exists():
        pytest.skip(f"the recording {RECORDING} is not beside the checkout")
    raw = gzip.decompress(path.read_bytes())
    first, second = Ride().run(raw), Ride().run(raw)
    assert first.told == second.told
    fills = [event for event in first.told if isinstance(event, VenueFill)]
    assert len({fill.fill_id for fill in fills}) == len(fills)
    orders = first.account.state.orders
    makers = [fill for fill in fills if not fill.is_taker]
    takers = [fill for fill in fills if fill.is_taker]
    assert len(makers) > 10
    assert len(takers) > 10
    for fill in fills:
        decimals = UNIVERSE[orders[fill.client_id].asset].px_decimals
        px, order = int(fill.px.scaleb(decimals)), orders[fill.client_id]
        assert (order.limit - px) * order.side >= 0
        assert fill.is_taker or px == order.limit
    resting = [order for order in orders.values() if order.state is OrderState.RESTING]
    assert resting, "an honest queue leaves some orders unfilled"
