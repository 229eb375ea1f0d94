"""Freqtrade in its own environment without a network: `python run_freqtrade.py MARKETS.json ARGUMENT ...`.

The exchange's list of markets is the file's; everything else is the real package and its real command line. Any
connection but one to this machine is an error, so that what is shown was shown offline.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import ccxt.async_support
from freqtrade.main import main

CONNECT = socket.socket.connect


def refuse(self: socket.socket, address: Any) -> None:
    """Let nothing out but to loopback."""
    if not isinstance(address, tuple) or address[0] != "127.0.0.1":
        raise OSError(f"no network in this test: {address}")
    CONNECT(self, address)


def market(pair: str) -> dict[str, Any]:
    """Return a linear perpetual as ccxt describes it; BASE/QUOTE:QUOTE."""
    base, _, rest = pair.partition("/")
    quote = rest.split(":")[0]
    name = f"{base}{quote}"
    limits = {"min": 1e-6, "max": 1e9}
    return {
        "id": name, "lowercaseId": name.lower(), "symbol": pair, "base": base, "quote": quote, "settle": quote,
        "baseId": base, "quoteId": quote, "settleId": quote, "type": "swap", "spot": False, "margin": False,
        "swap": True, "future": False, "option": False, "active": True, "contract": True, "linear": True,
        "inverse": False, "taker": 0.0005, "maker": 0.0002, "contractSize": 1.0, "expiry": None,
        "expiryDatetime": None, "strike": None, "optionType": None, "percentage": True,
        "precision": {"amount": 1e-6, "price": 1e-8, "base": 1e-8, "quote": 1e-8},
        "limits": {"leverage": {"min": 1, "max": 20}, "amount": limits, "price": limits,
                   "cost": {"min": 5.0, "max": None}, "market": limits},
        "info": {"status": "TRADING"},
    }  # fmt: skip


def offline(pairs: list[str]) -> None:
    """Give the exchange these markets and no network."""

    async def markets(_: object, params: object = None) -> list[dict[str, Any]]:
        return [market(pair) for pair in pairs]

    async def currencies(_: object, params: object = None) -> dict[str, Any]:
        return {}

    exchange = ccxt.async_support.binance
    exchange.fetch_markets, exchange.fetch_currencies = markets, currencies
    socket.socket.connect = refuse  # type: ignore[assignment, method-assign]


if __name__ == "__main__":
    offline(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    main(sys.argv[2:])
