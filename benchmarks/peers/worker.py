"""One engine of other people, in its own environment: `python worker.py NAME QUOTES.npz LINES.txt`.

It says `ready VERSION UNITS` once its input is in its own form, then runs once for every line it reads and says the
processor seconds that took. Nothing of this project is imported: versions that the engines need are not the product's.

Quotes are i8[n, 6] (stamp in ns, asset, bid price, bid size, ask price, ask size), trades i8[m, 5] (stamp in ns, asset,
price, size, side), all of one tape and in order of arrival; lines are its text without stamps.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

FRAME_NS = 200_000_000
Engine = tuple[str, int, Callable[[], object]]
ASSETS = range(3)


def hftbacktest(quotes: Any, trades: Any, _: Path) -> Engine:
    """Take quotes and trades of three assets through its books; five features of each every 200 ms."""
    import hftbacktest as h
    from numba import njit

    data = [_market_events(quotes[quotes[:, 1] == a], trades[trades[:, 1] == a], h) for a in ASSETS]
    until = min(int(events["exch_ts"][-1]) for events in data) - FRAME_NS

    @njit  # type: ignore[misc]
    def look(engine: Any, assets: int) -> float:
        total, before = 0.0, np.zeros(assets)
        while engine.elapse(FRAME_NS) == 0:
            for asset in range(assets):
                depth, flow = engine.depth(asset), 0.0
                for trade in engine.last_trades(asset):
                    flow += trade.qty if trade.ev & h.BUY_EVENT == h.BUY_EVENT else -trade.qty
                engine.clear_last_trades(asset)
                size = depth.best_bid_qty + depth.best_ask_qty
                mid, spread = 0.5 * (depth.best_bid + depth.best_ask), depth.best_ask - depth.best_bid
                if size > 0.0:
                    total += (depth.best_bid_qty - depth.best_ask_qty) / size
                total += mid - before[asset] + spread + flow
                before[asset] = mid
        return total

    def run() -> None:
        engine = h.HashMapMarketDepthBacktest([_market(h, events) for events in data])
        look(engine, len(data))
        if engine.current_timestamp < until:
            raise RuntimeError(f"ended at {engine.current_timestamp}, expected the end of the tape, {until}")
        engine.close()

    return h.__version__, len(quotes) + len(trades), run


def _market(h: Any, events: Any) -> Any:
    market = h.BacktestAsset().data(events).linear_asset(1.0).constant_order_latency(0, 0).risk_adverse_queue_model()
    market = market.no_partial_fill_exchange().trading_value_fee_model(0.0, 0.0).tick_size(1.0).lot_size(1.0)
    return market.last_trades_capacity(1_000)


def _market_events(quotes: Any, trades: Any, h: Any) -> Any:
    """Return two events a quote and one a trade, in its record type, seen by exchange and trader at once."""
    events = np.zeros(2 * len(quotes) + len(trades), h.event_dtype)
    both, of_quotes = h.EXCH_EVENT | h.LOCAL_EVENT, events[: 2 * len(quotes)]
    of_quotes["exch_ts"] = np.repeat(quotes[:, 0], 2)
    for side, flag in ((0, h.BUY_EVENT), (1, h.SELL_EVENT)):
        of_quotes["ev"][side::2] = h.DEPTH_BBO_EVENT | flag | both
        of_quotes["px"][side::2], of_quotes["qty"][side::2] = quotes[:, 2 + 2 * side], quotes[:, 3 + 2 * side]
    of_trades = events[2 * len(quotes) :]
    of_trades["exch_ts"], of_trades["px"], of_trades["qty"] = trades[:, 0], trades[:, 2], trades[:, 3]
    of_trades["ev"] = np.where(trades[:, 4] > 0, h.BUY_EVENT, h.SELL_EVENT) | h.TRADE_EVENT | both
    events["local_ts"] = events["exch_ts"]
    return events[np.argsort(events["exch_ts"], kind="stable")]


def nautilus_trader(quotes: Any, trades: Any, _: Path) -> Engine:
    """Run its back-test engine over quotes and trades of three instruments; a strategy takes three features of each."""
    from nautilus_trader import __version__
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig
    from nautilus_trader.model.currencies import USD
    from nautilus_trader.model.data import QuoteTick, TradeTick
    from nautilus_trader.model.enums import AccountType, AggressorSide, OmsType
    from nautilus_trader.model.identifiers import TradeId, Venue
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.test_kit.providers import TestInstrumentProvider
    from nautilus_trader.trading.strategy import Strategy

    instruments = [TestInstrumentProvider.default_fx_ccy(name) for name in ("EUR/USD", "AUD/USD", "GBP/USD")]
    names, size = [instrument.id for instrument in instruments], Quantity(1e3, 0)
    sides = {1: AggressorSide.BUYER, -1: AggressorSide.SELLER}
    ticks: list[Any] = [
        QuoteTick(names[a], Price(b / 1e5, 5), Price(k / 1e5, 5), size, size, t, t)
        for t, a, b, k in quotes[:, [0, 1, 2, 4]].tolist()
    ]
    ticks += [
        TradeTick(names[a], Price(p / 1e5, 5), size, sides[s], TradeId(str(i)), t, t)
        for i, (t, a, p, s) in enumerate(trades[:, [0, 1, 2, 4]].tolist())
    ]
    ticks.sort(key=lambda tick: tick.ts_init)

    class Features(Strategy):  # type: ignore[misc]
        def on_start(self) -> None:
            self.before, self.total = dict.fromkeys(names, 0.0), 0.0
            for name in names:
                self.subscribe_quote_ticks(name)
                self.subscribe_trade_ticks(name)

        def on_quote_tick(self, tick: QuoteTick) -> None:
            """Take mid, its change and the spread."""
            bid, ask = float(tick.bid_price), float(tick.ask_price)
            mid = 0.5 * (bid + ask)
            self.total += mid - self.before[tick.instrument_id] + ask - bid
            self.before[tick.instrument_id] = mid

        def on_trade_tick(self, tick: TradeTick) -> None:
            """Do nothing."""

    def run() -> None:
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
        engine.add_venue(Venue("SIM"), OmsType.NETTING, AccountType.MARGIN, [Money(1_000_000, USD)])
        for instrument in instruments:
            engine.add_instrument(instrument)
        engine.add_data(ticks, sort=False)
        engine.add_strategy(Features())
        engine.run()
        engine.dispose()

    return __version__, len(ticks), run


def ccxt(_: Any, __: Any, lines: Path) -> Engine:
    """Take every message as its websocket client does, from text to its caches of books, trades and tickers."""
    import ccxt.pro

    venue = ccxt.pro.hyperliquid()
    texts = lines.read_bytes().splitlines()
    coins = sorted({_coin(json.loads(text)) for text in texts} - {""})
    market = {"type": "swap", "swap": True, "spot": False, "active": True, "quote": "USDC", "settle": "USDC"}
    market |= {"precision": {}, "limits": {}, "info": {}}
    venue.set_markets([market | {"id": coin, "base": coin, "symbol": f"{coin}/USDC:USDC"} for coin in coins])

    class Nobody:
        """A client that nobody waits at."""

        def resolve(self, result: object, name: str) -> None:
            """Wake nobody."""

    def run() -> None:
        client = Nobody()
        for text in texts:
            venue.handle_message(client, json.loads(text))

    return ccxt.__version__, len(texts), run


def _coin(message: Any) -> str:
    data = message.get("data", {})
    data = data[0] if isinstance(data, list) and data else data
    return str(data.get("coin", "")) if isinstance(data, dict) else ""


ENGINES: dict[str, Callable[[Any, Any, Path], Engine]] = {
    "hftbacktest": hftbacktest,
    "nautilus_trader": nautilus_trader,
    "ccxt": ccxt,
}


def main() -> None:
    """Prepare one engine and run it whenever asked."""
    name, arrays, lines = sys.argv[1:]
    stored = np.load(arrays)
    version, units, run = ENGINES[name](stored["quotes"], stored["trades"], Path(lines))
    run()
    print("ready", version, units, flush=True)
    for _ in sys.stdin:
        began = time.process_time()
        run()
        print(time.process_time() - began, flush=True)


if __name__ == "__main__":
    main()
