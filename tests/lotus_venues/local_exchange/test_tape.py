"""The tape as the background market: resting orders fill, every law holds, and what waits to be looked at is exact."""

import gzip
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_engine import assert_conserved

from lotus.manifest import Asset
from lotus.trading.execution.orders import OrderGrouping
from lotus_venues.local_exchange.engine.market import MarketState
from lotus_venues.local_exchange.engine.values import ExchangeFill, OrderRequest
from lotus_venues.local_exchange.frames import bbo_frame, book_frame, context_frame, trade_frame
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


LEVELS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), min_size=1, max_size=4, unique_by=lambda x: x[0])
KINDS = st.sampled_from(["whole", "fast", "bbo", "trade", "context", "no mark", "damaged", "look"])
FRAMES = st.lists(st.tuples(KINDS, st.integers(0, 40), LEVELS, LEVELS), max_size=40)


def frame_of(kind: str, time_ms: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> bytes:
    """Return a frame of BTC around 100,000."""
    below = [(f"{100_000 - px}.0", f"{size}.0") for px, size in sorted(bids)]
    above = [(f"{100_000 + px}.0", f"{size}.0") for px, size in sorted(asks)]
    match kind:
        case "whole" | "fast":
            return book_frame("BTC", time_ms, below, above, fast=kind == "fast")
        case "bbo":
            return bbo_frame("BTC", time_ms, below[0], above[0])
        case "trade":
            return trade_frame("BTC", time_ms, "B", *above[0], tid=time_ms)
        case "damaged":
            return book_frame("BTC", time_ms, below, above)[:-3]
        case _:
            return context_frame("BTC", "0.0" if kind == "no mark" else "100000.0", "100000.0")


def seen(market: MarketState) -> object:
    """Return all that can be seen of a market."""
    sides = [(side.shown, side.best_px) for side in (market.bids, market.asks)]
    return sides, market.time_ms, market.book_ms, market.last_px, list(market.trades), market.mid, market.mark


@given(FRAMES)
def test_frames_that_wait_end_as_those_that_are_taken_in_at_once(
    frames: list[tuple[str, int, list[tuple[int, int]], list[tuple[int, int]]]],
) -> None:
    late, prompt = (LocalExchange([Asset("BTC", 5)]) for _ in range(2))
    for kind, time_ms, bids, asks in [("context", 0, [(1, 1)], [(1, 1)]), *frames]:
        markets = [exchange.engine.state.markets[0] for exchange in (late, prompt)]
        if kind == "look":
            assert seen(markets[0]) == seen(markets[1])
            continue
        for exchange in (late, prompt):
            exchange.tape.apply(frame_of(kind, time_ms, bids, asks))
        seen(markets[1])
    assert seen(late.engine.state.markets[0]) == seen(prompt.engine.state.markets[0])


def test_books_before_the_last_whole_one_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    from lotus_venues.local_exchange import tape

    decoded: list[bytes] = []
    decode = tape.decode_frame
    monkeypatch.setattr(tape, "decode_frame", lambda raw: (decoded.append(raw), decode(raw))[1])
    exchange, level = LocalExchange([Asset("BTC", 5)]), [(1, 1)]
    frames = [frame_of(kind, at, level, level) for at, kind in enumerate(["context", "fast", "bbo", "whole", "bbo"])]
    for frame in frames:
        exchange.tape.apply(frame)
    assert decoded == frames[:1]
    assert exchange.engine.state.markets[0].bids.best_px == 999_990
    assert set(decoded) == {frames[0], *frames[3:]}
