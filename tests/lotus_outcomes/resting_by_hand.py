"""An order at rest in plain Python, message by message with exact fractions, written apart from the kernel."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lotus.outcomes.passive import PassiveTape, passive_tape
from lotus.outcomes.path import QuotePath

MS = 1_000_000


@dataclass
class Quote:
    recv: int
    time: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    seq: int

    def own(self, side):
        return (self.bid, self.bid_size) if side > 0 else (self.ask, self.ask_size)

    def other(self, side):
        return self.ask if side > 0 else self.bid


@dataclass
class Print:
    recv: int
    time: int
    px: int
    lots: int
    side: int
    seq: int


def random_tape(seed, seconds=60, sz_decimals=2, px=5_000_000, tick=100, wild=1.0):
    """Quotes that walk by ticks and prints at, beyond and inside them, some late, some in the same nanosecond."""
    rng = np.random.default_rng(seed)
    messages, bid, now = [], px, 1_700_000_000_000
    spread = tick
    for seq in range(seconds * 8):
        now += int(rng.integers(0, 250))
        lag = int(rng.integers(20, 400))
        if rng.random() < 0.6:
            bid += tick * int(rng.integers(-1, 2)) * (rng.random() < 0.3 * wild)
            spread = tick * int(rng.choice([1, 1, 1, 2, 3]))
            sizes = rng.integers(0, 30, 2)
            messages.append(Quote(0, now, bid, int(sizes[0]), bid + spread, int(sizes[1]), seq))
        else:
            side = int(rng.choice([-1, 1]))
            at = (bid + spread if side > 0 else bid) + side * tick * int(rng.integers(-1, 2))
            lots = int(rng.integers(1, 40))
            messages.append(Print(0, now - int(rng.choice([0, 0, 0, 400])), at, lots, side, seq))
        messages[-1].recv = max((now + lag) * MS, messages[-2].recv if seq else 0)
    return messages


def tape_of(messages, sz_decimals=2) -> PassiveTape:
    quotes = [m for m in messages if isinstance(m, Quote)]
    prints = [m for m in messages if isinstance(m, Print)]
    columns = [
        np.array([getattr(q, name) for q in quotes], dtype=np.int64)
        for name in ("recv", "time", "bid", "bid_size", "ask", "ask_size")
    ]
    named = {"recv_ns": "recv", "time_ms": "time", "px": "px", "sz": "lots", "side": "side", "seq": "seq"}
    table = {k: np.array([getattr(p, v) for p in prints], dtype=np.int64) for k, v in named.items()}
    return passive_tape(QuotePath(*columns), np.array([q.seq for q in quotes]), table, sz_decimals)


class Resting:
    """One order; `careful` is the pessimistic reading."""

    def __init__(self, side, lots, improves, careful, latency_ms, tick):
        self.side, self.left, self.improves, self.careful = side, lots, improves, careful
        self.latency, self.tick = latency_ms * MS, tick
        self.fills, self.moves, self.arrives = [], 0, None

    def place(self, quote, newest):
        best, size = quote.own(self.side)
        inside = self.improves and quote.ask - quote.bid >= 2 * self.tick
        self.px = best + self.side * self.tick if inside else best
        self.ahead = Fraction(0 if inside else size)
        self.expected = self.ahead
        self.since, self.newest, self.arrives = quote.recv, newest, None

    def fill(self, lots, recv):
        lots = min(self.left, lots)
        if lots > 0:
            self.left -= lots
            self.fills.append((self.px, lots, recv))

    def on_print(self, p):
        if p.side == self.side or p.time <= self.newest:
            return
        if (p.px < self.px) if self.side > 0 else (p.px > self.px):
            self.fill(p.lots, p.recv)
        elif p.px == self.px:
            first = min(self.ahead, p.lots)
            self.ahead -= first
            self.expected -= p.lots
            self.fill(int(p.lots - first), p.recv)

    def on_quote(self, q, newest):
        best, shown = q.own(self.side)
        if not self.careful:
            crossed = q.other(self.side) <= self.px if self.side > 0 else q.other(self.side) >= self.px
            if crossed:
                self.fill(self.left, q.recv)
            if best == self.px:
                if self.expected > shown:
                    self.ahead *= Fraction(shown) / self.expected
                self.ahead = min(self.ahead, Fraction(shown))
            elif (best < self.px) if self.side > 0 else (best > self.px):
                self.ahead = Fraction(0)
        if best == self.px:
            self.expected = Fraction(shown)
        elif (best < self.px) if self.side > 0 else (best > self.px):
            self.expected = Fraction(0)
        if self.arrives is not None:
            if q.recv >= self.arrives:
                self.moves += 1
                self.place(q, newest)
            return
        left_behind = best > self.px if self.side > 0 else best < self.px
        if left_behind and self.moves < 20 and q.recv - self.since >= 500 * MS:
            self.arrives = q.recv + self.latency


def rested(messages, first, last, order):
    """Let an order live from the quote number `first` to the quote number `last`; return its fills."""
    count, newest = -1, 0
    for message in messages:
        newest = max(newest, message.time)
        if isinstance(message, Quote):
            count += 1
            if count == last:
                break
            if count == first:
                order.place(message, newest)
            elif count > first:
                order.on_quote(message, newest)
        elif count >= first:
            order.on_print(message)
    return order.fills
