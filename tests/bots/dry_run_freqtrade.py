"""Freqtrade's own bot, trading on paper without a network: `python dry_run_freqtrade.py CONFIG.json CANDLES TURNS`.

CANDLES is a folder of Parquet files by base currency; their newest candle is moved to be the one that is open now. The
exchange answers with them and with a book around their last price. The bot turns as often as it is told, a second or
less apart: as a bot does that asks again while a signal stands. Prints a JSON object of its trades and locks.
"""

import json
import sys
from pathlib import Path
from typing import Any

import ccxt
import ccxt.async_support
import pandas as pd
from freqtrade.configuration import Configuration
from freqtrade.enums import RunMode
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Trade
from run_freqtrade import offline

CANDLE = pd.Timedelta(minutes=5)


def exchange_of(candles: dict[str, list[list[float]]]) -> None:
    """Let ccxt answer from candles: [ms, open, high, low, close, volume] by pair."""

    async def ohlcv(_: object, symbol: str, *more: object, **given: object) -> list[list[float]]:
        return candles[symbol]

    def ends(symbol: str) -> tuple[float, float, float]:
        last = round(candles[symbol][-1][4], 2)
        return last, round(last - 0.01, 2), round(last + 0.01, 2)

    def book(_: object, symbol: str, *more: object, **given: object) -> dict[str, Any]:
        _last, bid, ask = ends(symbol)
        return {"bids": [[bid, 1e6]], "asks": [[ask, 1e6]], "timestamp": None, "symbol": symbol}

    def ticker(_: object, symbol: str, *more: object, **given: object) -> dict[str, Any]:
        last, bid, ask = ends(symbol)
        return {"symbol": symbol, "last": last, "bid": bid, "ask": ask, "quoteVolume": 1e9}

    def funding(_: object, symbols: list[str], *more: object) -> dict[str, Any]:
        return {x: {"symbol": x, "fundingRate": 0.0, "markPrice": candles[x][-1][4]} for x in symbols}

    async def nothing(*more: object, **given: object) -> list[object]:
        return []

    ccxt.async_support.binance.fetch_ohlcv = ohlcv
    ccxt.async_support.binance.fetch_funding_rate_history = nothing
    sync = ccxt.binance
    sync.fetch_l2_order_book = sync.fetch_order_book = book
    sync.fetch_ticker, sync.fetch_funding_rates = ticker, funding
    sync.fetch_tickers = lambda self, *a, **k: {x: ticker(self, x) for x in candles}
    sync.fetch_time = lambda self, *a, **k: int(pd.Timestamp.now(tz="UTC").timestamp() * 1000)
    sync.fetch_funding_history = lambda self, *a, **k: []


def read(folder: Path, pairs: list[str]) -> dict[str, list[list[float]]]:
    """Return the candles of the pairs, the last of them the one that is open now."""
    open_now = pd.Timestamp.now(tz="UTC").floor(CANDLE)
    made = {}
    for pair in pairs:
        frame = pd.read_parquet(folder / f"{pair.partition('/')[0]}.parquet")
        dates = frame["date"] + (open_now - frame["date"].iloc[-1])
        frame["date"] = dates.dt.as_unit("ms").astype("int64")
        made[pair] = frame[["date", "open", "high", "low", "close", "volume"]].to_numpy().tolist()
    return made


def main(config_file: str, folder: str, turns: int) -> None:
    """Let the bot turn, and print what it traded."""
    config = Configuration.from_files([config_file])
    config["runmode"], config["strategy_path"] = RunMode.DRY_RUN, str(Path(config_file).parent)
    pairs = config["exchange"]["pair_whitelist"]
    offline(pairs)
    exchange_of(read(Path(folder), pairs))
    bot = FreqtradeBot(config)
    bot.startup()
    for _ in range(turns):
        bot.process()
    trades = [{"pair": t.pair, "open": t.is_open, "profit": t.close_profit} for t in Trade.get_trades().all()]
    bot.cleanup()
    print(json.dumps({"trades": trades}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
