"""A matcher as one would write it first: one list of everything that rests, sorted anew for every step.

The oracle of price-time priority in the tests and the reference of the benchmark. It shares no code with the engine:
the queue of a price is spelt out, entry by entry, instead of counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

TAPE = ""


@dataclass(eq=False)
class Entry:
    """Lots resting at a price; `owner` is TAPE for what the tape shows."""

    side: int
    px: int
    seq: int
    owner: str
    lots: int
    oid: int = 0


Trade = tuple[int, int, int, int]  # price, lots, taker's number (0: the tape), maker's number (0: the tape)


@dataclass
class NaiveMatcher:
    """One asset's book. Sides are 1 (buy) and -1 (sell)."""

    entries: list[Entry] = field(default_factory=list)
    seq: int = 0

    def rest_of(self, side: int) -> list[Entry]:
        """Entries of a side, best price first, then oldest."""
        return sorted((e for e in self.entries if e.side == side), key=lambda e: (-e.px * side, e.seq))

    def show(self, bids: Iterable[tuple[int, int]], asks: Iterable[tuple[int, int]]) -> list[Trade]:
        """Make the tape's size at every price what is shown; less comes off the back of the queue, more joins it."""
        for side, levels in ((1, dict(bids)), (-1, dict(asks))):
            for px in {e.px for e in self.entries if e.side == side and e.owner == TAPE} | set(levels):
                self._set(side, px, levels.get(px, 0))
        return self.uncross()

    def _set(self, side: int, px: int, wanted: int) -> None:
        mine = [e for e in self.rest_of(side) if e.px == px and e.owner == TAPE]
        excess = sum(e.lots for e in mine) - wanted
        if excess < 0:
            self._add(Entry(side, px, 0, TAPE, -excess))
        for entry in reversed(mine):
            if excess <= 0:
                break
            part = min(excess, entry.lots)
            excess -= part
            self._reduce(entry, part)

    def uncross(self) -> list[Trade]:
        """Fill local orders that the tape's other side crosses, at their price."""
        trades = []
        for side in (1, -1):
            while True:
                mine = [e for e in self.rest_of(side) if e.owner != TAPE]
                theirs = [e for e in self.rest_of(-side) if e.owner == TAPE]
                if not mine or not theirs or (mine[0].px - theirs[0].px) * side < 0:
                    break
                part = min(mine[0].lots, sum(e.lots for e in theirs if e.px == theirs[0].px))
                trades.append((mine[0].px, part, 0, mine[0].oid))
                self._reduce(mine[0], part)
                self._eat(theirs, theirs[0].px, part)
        return trades

    def _eat(self, entries: list[Entry], px: int, lots: int) -> None:
        for entry in [e for e in entries if e.px == px]:
            part = min(lots, entry.lots)
            lots -= part
            self._reduce(entry, part)

    def place(self, owner: str, oid: int, side: int, px: int, lots: int, *, rests: bool) -> list[Trade]:
        """Match an order against the other side; what is left rests or is gone."""
        trades = []
        while lots:
            others = [e for e in self.rest_of(-side) if (px - e.px) * side >= 0]
            if not others:
                break
            first = others[0]
            if first.owner == owner:
                self.entries.remove(first)
                continue
            part = min(lots, first.lots)
            lots -= part
            trades.append((first.px, part, oid, first.oid))
            self._reduce(first, part)
        if lots and rests:
            self._add(Entry(side, px, 0, owner, lots, oid))
        return trades

    def print_at(self, aggressor: int, px: int, lots: int) -> list[Trade]:
        """Let a print of the tape pass: better local orders first, then the queue at its price."""
        side, trades = -aggressor, []
        for entry in self.rest_of(side):
            if (entry.px - px) * side < 0 or not lots:
                break
            if entry.owner == TAPE and entry.px != px:
                continue
            part = min(lots, entry.lots)
            lots -= part
            if entry.owner != TAPE:
                trades.append((entry.px, part, 0, entry.oid))
            self._reduce(entry, part)
        return trades

    def cancel(self, oid: int) -> None:
        """Take an order out."""
        self.entries = [e for e in self.entries if e.oid != oid or e.owner == TAPE]

    def _add(self, entry: Entry) -> None:
        self.seq += 1
        entry.seq = self.seq
        self.entries.append(entry)

    def _reduce(self, entry: Entry, lots: int) -> None:
        entry.lots -= lots
        if not entry.lots:
            self.entries.remove(entry)
