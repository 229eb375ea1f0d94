"""Market frames as the venue spells them, made by hand: for a market that a test or a drill drives itself.

Text only. Prices and sizes are given as the wire's texts.
"""

import json
from collections.abc import Sequence
from typing import Any

from lotus_venues.local_exchange.requests.wire_out import NO_HASH

Levels = Sequence[tuple[str, str]]


def book_frame(coin: str, time_ms: int, bids: Levels, asks: Levels, *, fast: bool = False) -> bytes:
    """Return an `l2Book` frame; levels are (price, size) texts, best first."""
    sides = [[{"px": px, "sz": size, "n": 1} for px, size in side] for side in (bids, asks)]
    data: dict[str, Any] = {"coin": coin, "time": time_ms, "levels": sides}
    return _frame("l2Book", data | ({"fast": True} if fast else {}))


def bbo_frame(coin: str, time_ms: int, bid: tuple[str, str] | None, ask: tuple[str, str] | None) -> bytes:
    """Return a `bbo` frame."""
    sides = [None if level is None else {"px": level[0], "sz": level[1], "n": 1} for level in (bid, ask)]
    return _frame("bbo", {"coin": coin, "time": time_ms, "bbo": sides})


def trade_frame(coin: str, time_ms: int, side: str, px: str, size: str, tid: int) -> bytes:
    """Return a `trades` frame of one print; `side` is the aggressor's (B or A)."""
    users = ["0x" + "0" * 40] * 2
    row = {"coin": coin, "side": side, "px": px, "sz": size, "time": time_ms, "hash": NO_HASH, "tid": tid}
    return _frame("trades", [row | {"users": users}])


def context_frame(coin: str, mark_px: str, oracle_px: str, funding: str = "0.0000125") -> bytes:
    """Return an `activeAssetCtx` frame."""
    ctx = {
        "funding": funding,
        "openInterest": "0.0",
        "prevDayPx": mark_px,
        "dayNtlVlm": "0.0",
        "premium": "0.0",
        "oraclePx": oracle_px,
        "markPx": mark_px,
        "midPx": mark_px,
        "impactPxs": [mark_px, mark_px],
        "dayBaseVlm": "0.0",
    }
    return _frame("activeAssetCtx", {"coin": coin, "ctx": ctx})


def _frame(channel: str, data: Any) -> bytes:
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":")).encode()
