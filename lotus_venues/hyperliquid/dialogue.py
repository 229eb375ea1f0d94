"""What the venue answers to a client's message: acknowledgements, error texts, pong, or a closed socket.

A pure state machine of one connection, used by servers that speak as the venue would. It opens no socket.
"""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from lotus.json_text import read_json
from lotus_venues.hyperliquid.subscriptions import PONG_TEXT

_DEFAULTS: dict[str, dict[str, Any]] = {
    "l2Book": {"coin": None, "nSigFigs": None, "mantissa": None},
    "bbo": {"coin": None},
    "trades": {"coin": None},
    "activeAssetCtx": {"coin": None},
    "candle": {"coin": None, "interval": None},
    "allMids": {},
}
_USER_DEFAULTS: dict[str, dict[str, Any]] = {
    "orderUpdates": {"user": None},
    "userFills": {"user": None, "aggregateByTime": False},
    "userEvents": {"user": None},
    "userFundings": {"user": None},
    "userNonFundingLedgerUpdates": {"user": None},
}
_OPTIONAL = {"l2Book": ("fast",), "allMids": ("dex",)}
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")


@dataclass(frozen=True, slots=True)
class DialogueReply:
    """Texts to send back; `close` asks to end the socket without a close frame; `subscribed` is a new subscription."""

    texts: tuple[str, ...] = ()
    close: bool = False
    subscribed: dict[str, Any] | None = None


@dataclass(slots=True)
class Dialogue:
    """One connection's subscriptions. `coins` are the listed names; `live` holds the subscription objects in force.

    A server with accounts takes the `has_users` channels too.
    """

    coins: Collection[str]
    live: list[dict[str, Any]] = field(default_factory=list)
    has_users: bool = False

    def answer(self, text: str) -> DialogueReply:
        """Return what the venue does on one text message from the client."""
        try:
            message = read_json(text)
            method = message["method"]
        except (ValueError, TypeError, KeyError):
            return _error(f"Error parsing JSON into valid websocket request: {text}")
        if method == "ping":
            return DialogueReply((PONG_TEXT,))
        wanted = message.get("subscription")
        if method not in ("subscribe", "unsubscribe") or not isinstance(wanted, dict):
            return _error(f"Error parsing JSON into valid websocket request: {text}")
        user = self.has_users and str(wanted.get("type")) in _USER_DEFAULTS
        if user and _ADDRESS.match(str(wanted.get("user"))):
            return self._change(method, wanted)
        if str(wanted.get("type")) not in _DEFAULTS:
            return _error(f"Invalid subscription {json.dumps(wanted)}")
        if "coin" in _DEFAULTS[wanted["type"]] and str(wanted.get("coin")) not in self.coins:
            return DialogueReply(close=True)
        return self._change(method, wanted)

    def _change(self, method: str, wanted: dict[str, Any]) -> DialogueReply:
        is_live = wanted in self.live
        if method == "subscribe" and is_live:
            return _error(f"Already subscribed: {json.dumps(wanted)}")
        if method == "unsubscribe" and not is_live:
            return _error(f"Already unsubscribed: {json.dumps(wanted)}")
        if is_live:
            self.live.remove(wanted)
        else:
            self.live.append(wanted)
        data = {"method": method, "subscription": normalised(wanted)}
        return DialogueReply((_frame("subscriptionResponse", data),), subscribed=None if is_live else wanted)


def normalised(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return the echo of a subscription: defaults added, unknown keys dropped.

    >>> normalised({"type": "l2Book", "coin": "BTC", "colour": 3})
    {'type': 'l2Book', 'coin': 'BTC', 'nSigFigs': None, 'mantissa': None}
    """
    kind = wanted["type"]
    defaults = (_DEFAULTS | _USER_DEFAULTS)[kind]
    echo = {"type": kind} | {key: wanted.get(key, value) for key, value in defaults.items()}
    return echo | {key: wanted[key] for key in _OPTIONAL.get(kind, ()) if key in wanted}


def _error(text: str) -> DialogueReply:
    return DialogueReply((_frame("error", text),))


def _frame(channel: str, data: Any) -> str:
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":"))
