"""The venue's rate limits: weight a minute and address of the network, requests an account, what a websocket may ask.

Scaled by one factor or off. Counting only; refusals are carried out by the server.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lotus_venues.local_exchange.engine.accounts import Account
from lotus_venues.local_exchange.requests.error_messages import TOO_MANY_REQUESTS

WEIGHT_A_MINUTE = 1_200
SUBSCRIPTIONS, MESSAGES_A_MINUTE, POSTS_IN_FLIGHT, USERS = 1_000, 2_000, 100, 10
SOCKETS, SOCKETS_A_MINUTE = 10, 30  # open, and new ones; other public pages say 100 open
EXCESS_MS = 10_000
CANCEL_EXTRA = 100_000
_LIGHT = frozenset(
    {"l2Book", "allMids", "clearinghouseState", "orderStatus", "spotClearinghouseState", "exchangeStatus"}
)
_PER_ROWS = {
    "userFills": 20,
    "userFillsByTime": 20,
    "fundingHistory": 20,
    "userFunding": 20,
    "recentTrades": 20,
    "candleSnapshot": 60,
}


@dataclass(slots=True)
class RateLimits:
    """`scale` multiplies every limit; 0 switches them off. Times are seconds of any steady clock."""

    scale: float = 1.0
    _spent: dict[str, deque[tuple[float, int]]] = field(default_factory=dict)
    _opened: dict[str, deque[float]] = field(default_factory=dict)
    _messages: dict[str, deque[float]] = field(default_factory=dict)

    @property
    def is_on(self) -> bool:
        """Whether anything is limited."""
        return self.scale > 0

    def weight_left(self, address: str, now_s: float) -> float:
        """Return the weight that a network address may still use in this minute."""
        spent = self._spent.setdefault(address, deque())
        while spent and spent[0][0] <= now_s - 60:
            spent.popleft()
        return WEIGHT_A_MINUTE * self.scale - sum(weight for _, weight in spent)

    def spend(self, address: str, weight: int, now_s: float) -> bool:
        """Take weight; False when none is left (then nothing is taken)."""
        if not self.is_on:
            return True
        if self.weight_left(address, now_s) < weight:
            return False
        self._spent.setdefault(address, deque()).append((now_s, weight))
        return True

    def hears(self, address: str, now_s: float) -> bool:
        """Count a message of a websocket client; False beyond the messages of a minute."""
        return self._fits(self._messages, address, now_s, MESSAGES_A_MINUTE)

    def opens(self, address: str, now_s: float, others: int) -> bool:
        """Count a new websocket beside `others`; False beyond those open at once, and the new ones of a minute."""
        fits = self._fits(self._opened, address, now_s, SOCKETS_A_MINUTE)
        return fits and (not self.is_on or others < SOCKETS * self.scale)

    def _fits(self, seen: dict[str, deque[float]], address: str, now_s: float, most: int) -> bool:
        times = seen.setdefault(address, deque())
        while times and times[0] <= now_s - 60:
            times.popleft()
        times.append(now_s)
        return not self.is_on or len(times) <= most * self.scale

    def too_many(self, account: Account, action: Mapping[str, Any], now_ms: int) -> str:
        """Count an action against its account's requests; return the refusal or "".

        Beyond the cap one request passes every 10 s; cancels have a higher cap.
        """
        count, kind = size_of(action), action.get("type")
        cap = int(account.request_cap * self.scale)
        if kind in ("cancel", "cancelByCloid"):
            cap = min(cap + CANCEL_EXTRA, 2 * cap)
        used = account.requests_used + count
        if self.is_on and used > cap and now_ms < account.last_excess_ms + EXCESS_MS:
            volume = f"{account.volume_micro / 1e6:.2f}".rstrip("0").rstrip(".")
            return TOO_MANY_REQUESTS.format(used=used, cap=cap, volume=volume)
        if used > cap:
            account.last_excess_ms = now_ms
        account.requests_used = used
        return ""


def info_weight(kind: str, rows: int = 0) -> int:
    """Return the weight of an information request and the rows of its answer.

    >>> info_weight("l2Book"), info_weight("meta"), info_weight("userFills", 45), info_weight("userRole")
    (2, 20, 22, 60)
    """
    if kind == "userRole":
        return 60
    base = 2 if kind in _LIGHT else 20
    return base + (rows // _PER_ROWS[kind] if kind in _PER_ROWS else 0)


def action_weight(action: Any) -> int:
    """Return the weight of an action: one, and one more for every 40 orders of its batch."""
    return 1 + size_of(action) // 40


def size_of(action: Any) -> int:
    """Return how many requests an action counts as: the length of its batch."""
    if not isinstance(action, dict):
        return 1
    for key in ("orders", "cancels", "modifies"):
        if isinstance(action.get(key), list):
            return max(1, len(action[key]))
    return 1
