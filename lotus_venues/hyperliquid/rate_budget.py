"""The rate budget: how many requests the venue still takes, with a reserve for what makes a position smaller.

Two limits stand side by side: weight a minute of this address on the internet, which all accounts of a process share,
and actions of one account, which the venue counts itself. Time is an argument. In the literature: sliding-window rate
limiter with priority classes.
"""

import threading
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lotus.errors import VenueError

WINDOW_MS = 60_000
WEIGHT_A_MINUTE = 1_200  # of one address on the internet
WEIGHTS = {
    "l2Book": 2,
    "allMids": 2,
    "clearinghouseState": 2,
    "orderStatus": 2,
    "exchangeStatus": 2,
    "userRole": 60,
}
_BY_ROWS = frozenset({"userFills", "userFillsByTime", "userFunding"})


def info_weight(kind: str) -> int:
    """Return the weight of an information request."""
    return WEIGHTS.get(kind, 20)


def rows_weight(kind: str, answer: object) -> int:
    """Return what the venue adds for a long answer: 1 for each 20 rows of a list."""
    return len(answer) // 20 if isinstance(answer, list) and kind in _BY_ROWS else 0


def action_weight(orders: int) -> int:
    """Return the weight of a trading request of so many orders."""
    return 1 + orders // 40


@dataclass(slots=True)
class AddressWeight:
    """Weight spent in a minute by one address on the internet; `reserve` of the `limit` only for what is urgent."""

    limit: int = WEIGHT_A_MINUTE
    reserve: int = 200
    _spent: deque[tuple[int, int]] = field(default_factory=deque)
    _sum: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def spent(self, now_ms: int) -> int:
        """Return the weight spent in the last minute."""
        with self._lock:
            while self._spent and self._spent[0][0] <= now_ms - WINDOW_MS:
                self._sum -= self._spent.popleft()[1]
            return self._sum

    def most(self, is_urgent: bool = False) -> int:
        """Return the weight that a minute may hold; what is not urgent leaves the reserve."""
        return self.limit if is_urgent else self.limit - self.reserve

    def has_room(self, weight: int, now_ms: int, is_urgent: bool = False) -> bool:
        """Tell whether a request of a weight may be sent now."""
        return self.spent(now_ms) + weight <= self.most(is_urgent)

    def note(self, weight: int, now_ms: int) -> None:
        """Count weight that is spent already."""
        if weight:
            with self._lock:
                self._spent.append((now_ms, weight))
                self._sum += weight


@dataclass(slots=True)
class RateBudget:
    """Weight of the address and actions left to the account; `reserve_actions` of them only for what is urgent.

    `weight` is the same object in the budgets of all accounts of a process at one venue (`shared_weight`).
    """

    weight: AddressWeight = field(default_factory=AddressWeight)
    actions_left: int = 10_000
    reserve_actions: int = 500
    refused: int = 0

    def spend(self, weight: int, now_ms: int, actions: int = 0, is_urgent: bool = False) -> None:
        """Take from the budget, or raise `VenueError` and take nothing. Cancels, stops and exits use the reserves.

        They are sent even where no action is left by the last count: the venue takes more cancels than orders, and one
        request in ten seconds of an account without any, so it is the one to refuse them.
        """
        if not self.weight.has_room(weight, now_ms, is_urgent):
            self.refused += 1
            text = f"{self.weight.spent(now_ms)} of {self.weight.most(is_urgent)} weight used this minute"
            raise VenueError(text, "room for the request", "too many requests of all accounts together")
        if actions and not is_urgent and self.actions_left - actions < self.reserve_actions:
            self.refused += 1
            text, least = f"{self.actions_left} actions left", self.reserve_actions
            raise VenueError(text, f"more than {least}", "the account's own limit")
        self.weight.note(weight, now_ms)
        self.actions_left -= actions

    def set_used(self, used: int, cap: int) -> None:
        """Take the venue's own count of the account's actions."""
        self.actions_left = cap - used


_SHARED: dict[str, AddressWeight] = {}


def shared_weight(base_url: str, limit: int = WEIGHT_A_MINUTE) -> AddressWeight:
    """Return the weight that everything in this process shares at the host of an address; the first caller's `limit`.

    >>> shared_weight("https://one.example/info") is shared_weight("https://one.example")
    True
    """
    return _SHARED.setdefault(urlsplit(base_url).netloc, AddressWeight(limit))
