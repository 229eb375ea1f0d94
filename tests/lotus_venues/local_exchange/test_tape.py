"""A real recording as the background market: it decodes, resting orders fill, and every law holds."""

import gzip
import itertools
from pathlib import Path

import pytest
from small_engine import assert_conserved

from lotus.manifest import Asset
from lotus.trading.execution.orders import OrderGrouping
from lotus_venues.local_exchange.engine.values import ExchangeFill, OrderRequest
from lotus_venues.local_exchange.requests.wire_out import number
from lotus_venues.local_exchange.web.server import LocalExchange

LINES = 12_000
UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2))
RECORDING = (
    Path(__file__).resolve().parents[3].parent / "shared" / "data" / "hyperliquid-2025-09-04" / "frames.jsonl.gz"
)


@pytest.mark.recordings
@pytest.mark.skipif(not RECORDING.is_file(), reason="the real recordings are not beside the checkout")
def test_quotes_at_the_best_prices_of_a_real_market_fill_in_their_turn() -> None:
    exchange = LocalExchange(UNIVERSE)
    engine = exchange.engine
    engine.deposit("ann", 10**12)
    fills, placed = 0, 0
    with gzip.open(RECORDING) as lines:
        for count, line in enumerate(itertools.islice(lines, LINES)):
            stamp, _, raw = line.rstrip(b"\n").partition(b" ")
            engine.advance(int(stamp) // 1_000_000)
            exchange.tape.apply(raw)
            asset = count // 50 % 3
            market = engine.state.markets[asset]
            best = market.bids.shown_px
            if count % 50 == 0 and best is not None:
                units = market.listing.asset
                lots = 20_000_000 // best + 1  # about 20 dollars
                px, size = number(best, units.px_decimals), number(lots, units.sz_decimals)
                (answer,) = engine.place("ann", [OrderRequest(asset, True, px, size, False, "Alo")], OrderGrouping.NONE)
                assert not answer.error
                assert answer.order is not None
                assert answer.order.ahead == market.bids.shown[market.bids.key(best)]
                placed += 1
            fills += sum(isinstance(e, ExchangeFill) for e in engine.drain())
            for m in engine.state.markets:
                first = m.bids.first_order
                assert first is None or m.asks.shown_px is None or first.px < m.asks.shown_px
    assert placed > 200
    assert 0.3 * placed < fills
    assert_conserved(engine)
