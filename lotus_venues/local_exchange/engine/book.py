"""One side of an asset's book: the size that the tape displays, and local orders queued behind and between it.

Price-time priority in integers. An order joins behind the size displayed at its price; the queue ahead shrinks by
prints and takers, and to the displayed size when that is less (cancellations are taken to have come from behind it
only when they must). Nothing here knows accounts. In the literature: queue position of a resting limit order.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lotus.trading.execution.orders import Side
from lotus_venues.local_exchange.engine.values import UNSEEN, ExchangeOrder

Level = tuple[int, int]


@dataclass(slots=True)
class BookSide:
    """Bids (`side` BUY) or asks. Keys are prices signed so that the best is the smallest."""

    side: Side
    shown: dict[int, int] = field(default_factory=dict)  # key -> lots of the tape still there
    _shown_keys: list[int] = field(default_factory=list)
    queues: dict[int, list[ExchangeOrder]] = field(default_factory=dict)
    _queue_keys: list[int] = field(default_factory=list)

    def key(self, px: int) -> int:
        """Return the sort key of a price: lower is better."""
        return -px * self.side

    @property
    def best_px(self) -> int | None:
        """The best price, the tape's or a local order's."""
        keys = [keys[0] for keys in (self._shown_keys, self._queue_keys) if keys]
        return abs(min(keys)) if keys else None

    @property
    def shown_px(self) -> int | None:
        """The best price that the tape shows."""
        return abs(self._shown_keys[0]) if self._shown_keys else None

    @property
    def first_order(self) -> ExchangeOrder | None:
        """The local order with the highest priority."""
        return self.queues[self._queue_keys[0]][0] if self._queue_keys else None

    def levels(self) -> Iterator[tuple[int, int, int]]:
        """Yield (price, lots, orders) best first; what the tape shows at a price counts as one order."""
        for key in sorted(set(self._shown_keys) | set(self._queue_keys)):
            orders, shown = self.queues.get(key, ()), self.shown.get(key, 0)
            yield abs(key), shown + sum(o.left for o in orders), len(orders) + (shown > 0)

    def orders(self) -> Iterator[ExchangeOrder]:
        """Yield local orders in priority."""
        for key in self._queue_keys:
            yield from self.queues[key]

    def join(self, order: ExchangeOrder, market_ms: int) -> None:
        """Put an order at the end of the queue of its price."""
        key = self.key(order.px)
        seen = bool(self._shown_keys) and key <= self._shown_keys[-1]
        order.ahead, order.joined_ms = (self.shown.get(key, 0) if seen else UNSEEN), market_ms
        if key not in self.queues:
            self.queues[key] = []
            insort(self._queue_keys, key)
        self.queues[key].append(order)

    def leave(self, order: ExchangeOrder) -> None:
        """Take an order out of its queue; nothing when it does not rest."""
        key = self.key(order.px)
        queue = self.queues.get(key)
        if queue is None or order not in queue:
            return
        queue.remove(order)
        if not queue:
            del self.queues[key]
            del self._queue_keys[bisect_left(self._queue_keys, key)]

    def maker(self, limit: int | None) -> tuple[int, int, ExchangeOrder | None] | None:
        """Return who is next to be hit: (price, lots, the local order or None for the tape's size).

        None when nothing stands at `limit` (a price; None: any) or better.
        """
        keys = [keys[0] for keys in (self._shown_keys, self._queue_keys) if keys]
        if not keys:
            return None
        key = min(keys)
        if limit is not None and key > self.key(limit):
            return None
        shown = self.shown.get(key, 0)
        queue = self.queues.get(key)
        if not queue:
            return abs(key), shown, None
        first = queue[0]
        if shown and first.ahead > 0:
            return abs(key), min(shown, first.ahead), None
        return abs(key), first.left, first

    def take(self, px: int, lots: int) -> None:
        """Remove lots that the tape shows at a price, from the front of the queue."""
        key = self.key(px)
        rest = self.shown[key] - lots
        if rest:
            self.shown[key] = rest
        else:
            del self.shown[key]
            del self._shown_keys[bisect_left(self._shown_keys, key)]
        for order in self.queues.get(key, ()):
            order.ahead = min(max(0, order.ahead - lots), rest)

    def show(self, levels: Sequence[Level], time_ms: int, *, whole: bool) -> None:
        """Put displayed levels (best first) in the place of all (`whole`) or of all not worse than the last of them.

        No level at all empties the side.
        """
        fresh = {self.key(px): lots for px, lots in levels if lots > 0}
        last = max(fresh) if fresh else None
        if not whole and last is not None:
            fresh |= {key: lots for key, lots in self.shown.items() if key > last}
        self.shown = fresh
        self._shown_keys = sorted(fresh)
        if last is None:
            return
        for key in self._queue_keys:
            if key > last:
                break
            self._shrink(self.queues[key], fresh.get(key, 0), time_ms)

    def print_at(self, px: int, lots: int, time_ms: int, book_ms: int) -> list[tuple[ExchangeOrder, int]]:
        """Return the local orders that a print on the tape fills, with the lots of each.

        Better prices first, then the queue at its price; each lot of the print is used once. Prints not newer than the
        book are already out of the displayed size.
        """
        key, hits, left = self.key(px), [], lots
        for order in self.orders():
            own_key = self.key(order.px)
            if own_key > key or left <= 0:
                break
            if time_ms <= order.joined_ms:
                continue
            part = min(order.left, left if own_key < key else max(0, left - self._passed(order, left, time_ms)))
            if part:
                hits.append((order, part))
                left -= part
        if time_ms > book_ms and left > 0 and self.shown.get(key, 0):
            rest = self.shown[key] - min(left, self.shown[key])
            if rest:
                self.shown[key] = rest
            else:
                del self.shown[key]
                del self._shown_keys[bisect_left(self._shown_keys, key)]
        return hits

    @staticmethod
    def _passed(order: ExchangeOrder, lots: int, time_ms: int) -> int:
        """Let a print of `lots` pass the queue ahead of an order; return how many of them it took."""
        if time_ms > order.explained_ms:
            order.unexplained = 0
        explained = min(order.unexplained, lots)
        order.unexplained -= explained
        passed = min(order.ahead, lots - explained)
        order.ahead -= passed
        return explained + passed

    @staticmethod
    def _shrink(queue: Sequence[ExchangeOrder], shown: int, time_ms: int) -> None:
        for order in queue:
            if order.ahead > shown:
                if order.ahead < UNSEEN // 2:
                    order.unexplained += order.ahead - shown
                    order.explained_ms = time_ms
                order.ahead = shown
