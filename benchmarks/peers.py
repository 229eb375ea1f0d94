"""The same tape through other people's engines, where they are installed; none is in the lock file.

Each does as much of this project's work as it can, and says what: none of them makes frames with every column, and
none reads the venue's text but ccxt, which reads books only. CPU time of this process. A peer that is absent is said to
be "not installed", one that cannot take the tape says why.
"""

import importlib.util
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Figure, Sizes, in_turn
from benchmarks.material import Tape
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import Decoder

NOT_INSTALLED = "not installed"
_FRAME_NS = 200_000_000


def run(tape: Tape, sizes: Sizes) -> tuple[list[Figure], dict[str, str]]:
    """Return a figure per peer that is there, and for each of the others why there is none."""
    figures, skipped = [], {}
    for name, measure in PEERS.items():
        if importlib.util.find_spec(name) is None:
            skipped[name] = NOT_INSTALLED
            continue
        try:
            figures.append(measure(tape, sizes))
        except Exception as error:
            skipped[name] = f"does not run here ({type(error).__name__}: {error})"[:200]
    return figures, skipped


def ccxt(tape: Tape, sizes: Sizes) -> Figure:
    """Parse 20-level books with ccxt's hyperliquid parser (json.loads before it), beside the strict byte parser."""
    import ccxt

    venue = ccxt.hyperliquid()
    lines = tape.whole_books(sizes.books)
    raws = [line.partition(b" ")[2] for line in lines]
    text = b"".join(line + b"\n" for line in lines)

    def theirs() -> None:
        for raw in raws:
            data = json.loads(raw)["data"]
            bids, asks = data["levels"]
            sides = {"bids": bids, "asks": asks}
            venue.parse_order_book(sides, data["coin"], data["time"], "bids", "asks", "px", "sz")

    other, ours = in_turn(sizes.repeats, theirs, lambda: Decoder(tape.universe).decode_chunk(text, 0))
    scale = 1e6 / len(lines)
    note = f"ccxt {ccxt.__version__}: json.loads and parse_order_book to floats; no gate, no checks"
    return Figure(
        "peer.ccxt.book_us", other.typical * scale, "us", "lotus parse.book_us", ours.typical * scale, 0, note
    )


def hftbacktest(tape: Tape, sizes: Sizes) -> Figure:
    """Take the best quotes of one asset through hftbacktest's book, looking at three features every 200 ms."""
    import hftbacktest as h
    from numba import njit

    data = _depth_events(tape, h)

    @njit  # type: ignore[misc]
    def look(engine: Any) -> float:
        total, before = 0.0, 0.0
        while engine.elapse(_FRAME_NS) == 0:
            depth = engine.depth(0)
            mid = 0.5 * (depth.best_bid + depth.best_ask)
            total += mid - before + depth.best_bid_qty - depth.best_ask_qty
            before = mid
        return total

    def theirs() -> None:
        asset = h.BacktestAsset().data(data).linear_asset(1.0).constant_order_latency(0, 0).risk_adverse_queue_model()
        asset = asset.no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0).tick_size(1.0).lot_size(1.0)
        engine = h.HashMapMarketDepthBacktest([asset])
        look(engine)
        assert engine.current_timestamp >= data["exch_ts"][-1] - _FRAME_NS
        engine.close()

    other, ours = in_turn(sizes.repeats, theirs, lambda: build_frames(tape.events, tape.manifest, tape.universe))
    note = f"hftbacktest {h.__version__}: ready best quotes of one asset; mid, its change and imbalance every 200 ms"
    reference, rate = "lotus batch.features_only.events_per_s", len(tape.events) / ours.typical
    return Figure(
        "peer.hftbacktest.events_per_s", len(data) / 2 / other.typical, "events/s", reference, rate, note=note
    )


def nautilus_trader(tape: Tape, sizes: Sizes) -> Figure:
    """Run NautilusTrader's back-test engine over the best quotes of one asset, with a strategy that does nothing."""
    from nautilus_trader import __version__
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig
    from nautilus_trader.model.currencies import USD
    from nautilus_trader.model.data import QuoteTick
    from nautilus_trader.model.enums import AccountType, OmsType
    from nautilus_trader.model.identifiers import Venue
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.test_kit.providers import TestInstrumentProvider
    from nautilus_trader.trading.strategy import Strategy

    instrument = TestInstrumentProvider.default_fx_ccy("EUR/USD")
    ticks = [
        QuoteTick(instrument.id, Price(b / 1e5, 5), Price(a / 1e5, 5), Quantity(1e3, 0), Quantity(1e3, 0), t, t)
        for t, b, a in _one_asset(tape)[:, [0, 1, 3]].tolist()
    ]

    class Idle(Strategy):  # type: ignore[misc]
        def on_start(self) -> None:
            self.subscribe_quote_ticks(instrument.id)

        def on_quote_tick(self, tick: QuoteTick) -> None:
            """Do nothing."""

    def theirs() -> None:
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
        engine.add_venue(Venue("SIM"), OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USD)])
        engine.add_instrument(instrument)
        engine.add_data(ticks)
        engine.add_strategy(Idle())
        engine.run()
        engine.dispose()

    other, ours = in_turn(sizes.repeats, theirs, lambda: build_frames(tape.events, tape.manifest, tape.universe))
    note = f"nautilus_trader {__version__}: ready best quotes of one asset to a strategy that does nothing"
    reference, rate = "lotus batch.features_only.events_per_s", len(tape.events) / ours.typical
    return Figure(
        "peer.nautilus_trader.events_per_s", len(ticks) / other.typical, "events/s", reference, rate, note=note
    )


PEERS: dict[str, Callable[[Tape, Sizes], Figure]] = {
    "hftbacktest": hftbacktest,
    "nautilus_trader": nautilus_trader,
    "ccxt": ccxt,
}


def _one_asset(tape: Tape) -> Any:
    """Return i8[n, 5]: receive stamp in ns, bid price, bid size, ask price, ask size of the first asset's quotes."""
    quotes = tape.frames.quotes
    mine = quotes[quotes[:, 0] == 0]
    return np.ascontiguousarray(mine[:, [2, 4, 5, 6, 7]])


def _depth_events(tape: Tape, h: Any) -> Any:
    """Return two events a quote, bid and ask, in the peer's record type, seen by exchange and trader at once."""
    quotes = _one_asset(tape)
    events = np.zeros(2 * len(quotes), h.event_dtype)
    events["exch_ts"] = np.repeat(quotes[:, 0], 2)
    events["local_ts"] = events["exch_ts"]
    for side, flag in ((0, h.BUY_EVENT), (1, h.SELL_EVENT)):
        events["ev"][side::2] = h.DEPTH_BBO_EVENT | flag | h.EXCH_EVENT | h.LOCAL_EVENT
        events["px"][side::2], events["qty"][side::2] = quotes[:, 1 + 2 * side], quotes[:, 2 + 2 * side]
    return events
