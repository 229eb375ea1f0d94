"""The book that an order meets: last levels of each side, the best one refreshed by bbo. Integer prices and lots.

In the literature: limit order book, walked by a marketable order. It keeps no history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lotus_venues.orders import Side

MAX_LEVELS = 20

Level = tuple[int, int]


@dataclass(slots=True)
class Ladder:
    """Bids and asks, best first, of one asset; `recv_ns` is the stamp of the last message that changed it."""

    bids: list[Level] = field(default_factory=list)
    asks: list[Level] = field(default_factory=list)
    recv_ns: int = 0

    @property
    def is_two_sided(self) -> bool:
        """Tell whether both sides are there and not crossed."""
        return bool(self.bids and self.asks) and self.bids[0][0] < self.asks[0][0]

    @property
    def mid2(self) -> int:
        """Bid plus ask, in half price units."""
        return self.bids[0][0] + self.asks[0][0]

    def on_book(self, recv_ns: int, bids: Sequence[Level], asks: Sequence[Level], deep: bool) -> None:
        """Replace both sides by a snapshot; a shallow one (5 levels) keeps older levels that lie beyond it."""
        self.bids = list(bids) if deep else _merge(bids, self.bids, 1)
        self.asks = list(asks) if deep else _merge(asks, self.asks, -1)
        self.recv_ns = recv_ns

    def on_bbo(self, recv_ns: int, bid: Level | None, ask: Level | None) -> None:
        """Set the best level of each side; deeper levels stay where they are worse than it. None empties a side."""
        self.bids = _merge([bid] if bid else [], self.bids, 1)
        self.asks = _merge([ask] if ask else [], self.asks, -1)
        self.recv_ns = recv_ns

    def take(self, side: Side, lots: int, limit: int | None) -> list[Level]:
        """Return the levels (price, lots) that an order takes, not worse than `limit`; the book stays whole."""
        taken: list[Level] = []
        for px, available in self.asks if side is Side.BUY else self.bids:
            if lots <= 0 or (limit is not None and (px - limit) * side > 0):
                break
            part = min(lots, available)
            taken.append((px, part))
            lots -= part
        return taken


def _merge(fresh: Sequence[Level], old: Sequence[Level], sign: int) -> list[Level]:
    if not fresh:
        return []
    worst = fresh[-1][0] * sign
    return [*fresh, *(x for x in old if x[0] * sign < worst)][:MAX_LEVELS]
