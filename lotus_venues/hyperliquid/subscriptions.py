"""Subscriptions of the venue's websocket: their texts, acknowledgements and how old each may become.

Holds values and text only: no socket, no clock, no decoding of market data (that is `lotus.microtape`).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PING_TEXT = '{"method":"ping"}'
PONG_TEXT = '{"channel":"pong"}'
MOST_SUBSCRIPTIONS = 1000  # of one address (the venue's documentation, "Rate limits and user limits")

_ROUTE = re.compile(rb'\{"channel":"(\w+)"(?:,"data":\[?\{(?:"coin":"([^"]+)")?)?')
_COIN = re.compile(rb'"coin":"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Subscription:
    """One public channel of one coin; `fast` tells the two forms of l2Book apart."""

    channel: str
    coin: str
    fast: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """Return the subscription object of the wire; unsubscribing needs the very same keys and values."""
        fields: dict[str, Any] = {"type": self.channel, "coin": self.coin}
        return fields | {"fast": True} if self.fast else fields

    @property
    def stale_after_s(self) -> float | None:
        """Return the age in seconds beyond which silence is a fault; None where silence is ordinary (trades)."""
        if self.channel == "l2Book":
            return 2.0 if self.fast else 12.0
        return {"bbo": 5.0, "activeAssetCtx": 5.0}.get(self.channel)

    @property
    def label(self) -> str:
        """Return the readable name used in status rows: `l2Book:BTC:fast`."""
        return f"{self.channel}:{self.coin}" + (":fast" if self.fast else "")


def universe_subscriptions(coins: Iterable[str]) -> tuple[Subscription, ...]:
    """Return every subscription that the daemon needs: bbo, both book forms, trades and context of each coin."""
    return tuple(
        sub
        for coin in coins
        for sub in (
            Subscription("bbo", coin),
            Subscription("l2Book", coin, fast=True),
            Subscription("l2Book", coin),
            Subscription("trades", coin),
            Subscription("activeAssetCtx", coin),
        )
    )


def subscribe_text(sub: Subscription) -> str:
    """Return the text that asks for a subscription (one per message: the venue takes no arrays).

    >>> subscribe_text(Subscription("bbo", "BTC"))
    '{"method":"subscribe","subscription":{"type":"bbo","coin":"BTC"}}'
    """
    return _request("subscribe", sub)


def unsubscribe_text(sub: Subscription) -> str:
    """Return the text that ends a subscription."""
    return _request("unsubscribe", sub)


def acknowledged(echo: Mapping[str, Any]) -> Subscription:
    """Return the subscription that an acknowledged object names, whatever defaults the venue adds to it.

    >>> acknowledged({"type": "l2Book", "coin": "BTC", "fast": True, "mantissa": None})
    Subscription(channel='l2Book', coin='BTC', fast=True)
    """
    return Subscription(str(echo.get("type")), str(echo.get("coin")), bool(echo.get("fast", False)))


def route(raw: bytes) -> tuple[str, str, bool]:
    """Return (channel, coin, fast) of a raw frame without decoding it; empty strings where there is none.

    >>> route(b'{"channel":"trades","data":[{"coin":"ETH","side":"A"}]}')
    ('trades', 'ETH', False)
    """
    head = _ROUTE.match(raw)
    if head is None:
        return "", "", False
    channel = head.group(1).decode(errors="replace")
    coin = head.group(2)
    if coin is None and channel in {"trades", "bbo", "l2Book", "activeAssetCtx"}:
        match = _COIN.search(raw)
        coin = match.group(1) if match else None
    fast = channel == "l2Book" and b'"fast":true' in raw
    return channel, coin.decode(errors="replace") if coin else "", fast


def _request(method: str, sub: Subscription) -> str:
    return json.dumps({"method": method, "subscription": sub.fields}, separators=(",", ":"))
