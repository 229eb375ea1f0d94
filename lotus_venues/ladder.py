"""The book that an order meets: last levels of each side, the best one refreshed by bbo. Integer prices and lots.

In the literature: limit order book, walked by a marketable order. It keeps no history.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lotus.microtape.events import BOOK_HEADER, LEVEL_WIDTH
from lotus.trading.execution.orders import Side

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
        """Replace both sides by a snapshot; a shallow one (5 levels) keeps older levels that lie beyond it.

        Levels come best first, as the decoder lets no others through.
        """
        if deep:
            self.bids, self.asks = list(bids), list(asks)
        else:
            _put(self.bids, bids, 1)
            _put(self.asks, asks, -1)
        self.recv_ns = recv_ns

    def on_bbo(self, recv_ns: int, bid: Level | None, ask: Level | None) -> None:
        """Set the best level of each side; deeper levels stay where they are worse than it. None empties a side."""
        for side, best, sign in ((self.bids, bid, 1), (self.asks, ask, -1)):
            if best and side and side[0][0] == best[0]:
                side[0] = best
            else:
                _put(side, (best,) if best else (), sign)
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


def book_levels(values: Sequence[int]) -> tuple[list[Level], list[Level]]:
    """Return bids and asks of a decoded book event, its slice of the pool as plain ints."""
    n_bids, n_asks = values[0], values[1]
    flat = values[BOOK_HEADER:]
    pairs = list(zip(flat[0::LEVEL_WIDTH], flat[1::LEVEL_WIDTH], strict=False))
    return pairs[:n_bids], pairs[n_bids : n_bids + n_asks]


def _put(side: list[Level], fresh: Sequence[Level], sign: int) -> None:
    """Put fresh levels in the place of all that are not worse than the last of them."""
    if not fresh:
        side.clear()
        return
    worst, better = fresh[-1][0] * sign, 0
    for px, _ in side:
        if px * sign < worst:
            break
        better += 1
    side[:better] = fresh
    del side[MAX_LEVELS:]
