"""The rate budget: how many requests the venue still takes, with a reserve for what makes a position smaller.

Two limits stand side by side: weight a minute of this address on the internet, and actions of the account, which the
venue counts itself. Pure: time is an argument. In the literature: sliding-window rate limiter with priority classes.
"""

from collections import deque
from dataclasses import dataclass, field

from lotus.errors import VenueError

WINDOW_MS = 60_000
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
class RateBudget:
    """Weight spent in a minute and actions left; `reserve` and `reserve_actions` of them only for what is urgent."""

    weight_a_minute: int = 1200
    reserve: int = 200
    actions_left: int = 10_000
    reserve_actions: int = 500
    refused: int = 0
    _spent: deque[tuple[int, int]] = field(default_factory=deque)
    _sum: int = 0

    def spent(self, now_ms: int) -> int:
        """Return the weight spent in the last minute."""
        while self._spent and self._spent[0][0] <= now_ms - WINDOW_MS:
            self._sum -= self._spent.popleft()[1]
        return self._sum

    def spend(self, weight: int, now_ms: int, actions: int = 0, is_urgent: bool = False) -> None:
        """Take from the budget, or raise `VenueError` and take nothing. Cancels, stops and exits use the reserves."""
        most = self.weight_a_minute - (0 if is_urgent else self.reserve)
        if self.spent(now_ms) + weight > most:
            self.refused += 1
            raise VenueError(
                f"{self._sum} of {most} weight used this minute", "room for the request", "too many requests"
            )
        least = 0 if is_urgent else self.reserve_actions
        if actions and self.actions_left - actions < least:
            self.refused += 1
            raise VenueError(f"{self.actions_left} actions left", f"more than {least}", "the account's own limit")
        self.note(weight, now_ms)
        self.actions_left -= actions

    def note(self, weight: int, now_ms: int) -> None:
        """Count weight that is spent already."""
        if weight:
            self._spent.append((now_ms, weight))
            self._sum += weight

    def told(self, used: int, cap: int) -> None:
        """Take the venue's own count of the account's actions."""
        self.actions_left = cap - used
