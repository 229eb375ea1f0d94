"""Random event streams with everything odd in them, for the conformance suites of frames, experts and detectors.

A seeded walk of a market with late and replayed prints, one-sided, empty and crossed books, null contexts, silences
and outages. It is no model of a market (that is `lotus.simulation`); the word of the field is fuzzing corpus.
"""

from dataclasses import dataclass, field

import numpy as np

from lotus.microtape.events import (
    NULL,
    EventBatch,
    EventInput,
    EventKind,
    book_values,
    build_batch,
)

START_MS = 1_700_000_000_000


@dataclass
class _Market:
    """The walk of one asset."""

    rng: np.random.Generator
    bid: int = 1_000_000
    width: int = 10
    now_ms: int = START_MS
    tid: int = 0
    side: int = 1
    recent: list[tuple[int, ...]] = field(default_factory=list)

    def move(self) -> None:
        """Let time and price go on; sometimes a silence, rarely an outage."""
        rng = self.rng
        self.now_ms += int(rng.integers(0, 90))
        if rng.random() < 0.003:
            self.now_ms += int(rng.integers(200, 9_000))
        if rng.random() < 0.0005:
            self.now_ms += int(rng.integers(9_000, 300_000))
        self.bid += 10 * int(rng.integers(-2, 3)) * int(rng.random() < 0.4)
        self.width = 10 * int(rng.choice((1, 1, 1, 2, 5)))

    def size(self) -> int:
        return int(np.ceil(np.exp(self.rng.normal(6.0, 1.5))))

    def levels(self, n: int) -> tuple[int, ...]:
        """Return book values; sometimes one side is empty or the book is crossed."""
        rng = self.rng
        ask = self.bid + self.width if rng.random() > 0.01 else self.bid - 10
        bids = [(self.bid - 10 * k, self.size(), 1) for k in range(n)]
        asks = [(ask + 10 * k, self.size(), 1) for k in range(n)]
        odd = rng.random()
        if odd < 0.01:
            bids = []
        elif odd < 0.02:
            asks = []
        elif odd < 0.05:
            bids, asks = bids[:2], asks[:1]
        return book_values(bids, asks)

    def bbo(self) -> tuple[int, ...]:
        odd = self.rng.random()
        bid = (self.bid, self.size(), 1) if odd > 0.01 else (0, 0, 0)
        ask = (self.bid + self.width, self.size(), 1) if odd < 0.99 else (0, 0, 0)
        if 0.5 < odd < 0.505:
            ask = (self.bid, self.size(), 1)
        return bid + ask

    def trades(self) -> tuple[int, ...]:
        """Return the prints of one message: bursts over several levels, or old ones replayed."""
        rng = self.rng
        self.side = -self.side if rng.random() < 0.15 else self.side
        side = self.side
        prints: list[tuple[int, ...]] = []
        px = self.bid + self.width if side > 0 else self.bid
        for _ in range(int(rng.integers(1, 6))):
            prints.append((px, self.size(), side, self.now_ms - int(rng.integers(0, 2)), self.tid))
            self.tid += 1
            px += 10 * side * int(rng.random() < 0.3)
            side = -side if rng.random() < 0.1 else side
        if self.recent and rng.random() < 0.02:
            prints = self.recent[-20:] + prints
        self.recent = (self.recent + prints)[-30:]
        return tuple(value for row in prints for value in row)

    def ctx(self) -> tuple[int, ...]:
        values = [int(self.rng.integers(-(10**7), 10**8)), int(self.rng.integers(10**9, 10**9 + 10**6)), self.bid + 7]
        odd = self.rng.random()
        if odd < 0.1:
            values[int(odd * 30)] = NULL
        return (*values, self.bid, 2 * self.bid, 0, NULL, NULL)


def _best(book: tuple[int, ...]) -> tuple[int, int]:
    """Return the best prices of book values, 0 for an empty side."""
    n_bids, n_asks, *levels = book
    return levels[0] if n_bids else 0, levels[3 * n_bids] if n_asks else 0


def sample_events(seed: int, n: int, n_assets: int = 3) -> EventBatch:
    """Return `n` random events of `n_assets` assets in arrival order, the same for the same seed."""
    rng = np.random.default_rng(seed)
    markets = [_Market(rng, bid=1_000_000 * (k + 1)) for k in range(n_assets)]
    events, recv_ns = [], START_MS * 1_000_000
    for seq in range(n):
        asset = int(rng.integers(n_assets))
        market = markets[asset]
        market.move()
        kind = EventKind(int(rng.choice((1, 2, 3, 4, 5), p=(0.06, 0.14, 0.5, 0.2, 0.1))))
        time_ms = market.now_ms - int(rng.integers(0, 800)) * int(rng.random() < 0.1)
        recv_ns = max(recv_ns + 1, market.now_ms * 1_000_000 + int(rng.integers(10**8)))
        if kind is EventKind.TRADES:
            values = market.trades()
            time_ms = max(values[3::5])
        elif kind is EventKind.CTX:
            values, time_ms = market.ctx(), -1
        else:
            values = market.bbo() if kind is EventKind.BBO else market.levels(20 if kind is EventKind.BOOK else 5)
            bid, ask = (values[0], values[3]) if kind is EventKind.BBO else _best(values)
            if bid and ask and bid >= ask:
                kind, values = EventKind.CROSSED, ()
        events.append(EventInput(recv_ns=recv_ns, time_ms=time_ms, seq=seq, kind=kind, asset=asset, values=values))
    return build_batch(events)
