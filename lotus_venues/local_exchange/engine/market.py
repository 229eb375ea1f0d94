"""What the exchange knows of one asset's market: both sides of its book, mark and oracle prices, prints, contexts.

Taken from the tape's decoded messages in integer units. No orders are matched here. Frames that nobody has looked
behind yet wait as they came (`late`): who looks at the book has them taken in first. In the literature: lazy
evaluation.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lotus.manifest import Asset
from lotus.trading.execution.orders import Side
from lotus_venues.local_exchange.engine.book import BookSide, Level
from lotus_venues.local_exchange.engine.values import ExchangeOrder

RECENT_TRADES = 30
_KNOWN_TIDS = 4_096


@dataclass(frozen=True, slots=True)
class Listing:
    """One row of `meta`: an asset with its highest leverage and its margin mode."""

    asset: Asset
    max_leverage: int = 40
    only_isolated: bool = False


@dataclass(slots=True)
class MarketState:
    """State of one asset. Prices are units; 0 means not known yet. `book_ms`, `time_ms` are the venue's stamps.

    `catch_up` takes in frames that waited, in their order; it may match nothing.
    """

    listing: Listing
    late: list[bytes] = field(default_factory=list)
    catch_up: Callable[[Sequence[bytes]], None] = field(default=lambda _: None)
    ctx_mark: int = 0
    ctx_oracle: int = 0
    last_px: int = 0
    funding_e10: int = 0
    book_ms: int = 0
    stops: dict[int, ExchangeOrder] = field(default_factory=dict)
    fundings: list[tuple[int, int]] = field(default_factory=list)  # (hour ms, rate 1e-10)
    _bids: BookSide = field(default_factory=lambda: BookSide(Side.BUY))
    _asks: BookSide = field(default_factory=lambda: BookSide(Side.SELL))
    _time_ms: int = 0
    _trades: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=RECENT_TRADES))
    _tids: dict[int, None] = field(default_factory=dict)

    @property
    def may_wait(self) -> bool:
        """Whether a book or a print changes nothing but what is shown: no order rests, and the mark is the tape's."""
        return bool(self.ctx_mark and self.ctx_oracle) and not (self._bids.queues or self._asks.queues)

    @property
    def bids(self) -> BookSide:
        """The bids."""
        self.look()
        return self._bids

    @property
    def asks(self) -> BookSide:
        """The asks."""
        self.look()
        return self._asks

    @property
    def trades(self) -> deque[dict[str, Any]]:
        """The last prints, oldest first."""
        self.look()
        return self._trades

    @property
    def time_ms(self) -> int:
        """The newest stamp of a book or a print."""
        self.look()
        return self._time_ms

    def look(self) -> None:
        """Take in what waits."""
        if self.late:
            frames, self.late = self.late, []
            self.catch_up(frames)

    def side(self, side: Side) -> BookSide:
        """The resting orders of a side."""
        return self.bids if side is Side.BUY else self.asks

    @property
    def mid(self) -> int:
        """Mid of what the tape shows, in units (rounded down); the last print or mark when a side is empty."""
        bid, ask = self.bids.shown_px, self.asks.shown_px
        if bid is not None and ask is not None:
            return (bid + ask) // 2
        return self.ctx_mark or self.last_px or bid or ask or 0

    @property
    def mark(self) -> int:
        """Mark price: the tape's, or the mid where the tape has none."""
        return self.ctx_mark or self.mid

    @property
    def oracle(self) -> int:
        """Oracle price: the tape's, or the mark where the tape has none."""
        return self.ctx_oracle or self.mark

    def show(self, bids: list[Level], asks: list[Level], time_ms: int, *, whole: bool) -> None:
        """Take a book: all of it (`whole`), or a top that replaces what is not worse than its last level.

        An older book than the one shown only changes what lies behind the best prices.
        """
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            if time_ms < self.book_ms and (best := side.shown_px) is not None:
                behind = [level for level in levels if side.key(level[0]) > side.key(best)]
                levels = [(best, side.shown[side.key(best)]), *behind]
            side.show(levels, max(time_ms, self.book_ms), whole=whole)
        self.book_ms = max(self.book_ms, time_ms)
        self._time_ms = max(self._time_ms, time_ms)

    def take_print(
        self, aggressor: Side, px: int, lots: int, time_ms: int, tid: int
    ) -> list[tuple[ExchangeOrder, int]]:
        """Take a print of the tape, once by its `tid`; return the local orders that it fills, with the lots of each."""
        if not self.is_new(tid):
            return []
        hits = self.side(aggressor.opposite).print_at(px, lots, time_ms, self.book_ms)
        self.last_px, self._time_ms = px, max(self._time_ms, time_ms)
        return hits

    def is_new(self, tid: int) -> bool:
        """Tell, once for each print, whether it was not seen before (a reconnect repeats 30 of them)."""
        if tid in self._tids:
            return False
        self._tids[tid] = None
        if len(self._tids) > _KNOWN_TIDS:
            del self._tids[next(iter(self._tids))]
        return True
