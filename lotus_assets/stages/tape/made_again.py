"""The look-ahead check of what is made piece by piece: some pieces are made again, cut at many points.

A streaming machine takes a day in pieces, so that nothing can reach beyond a piece but what its memory holds. Within a
piece the machine is put back to its state before it and takes the same rows in bites: no bite knows the next one, so
whatever looked ahead across a cut gives other bits. The first piece is made again, one of every `SHARE` of the rest,
drawn from a seed of table and day, and the first that holds a gap, cut there. A leak that shows in every row of a
column or of an asset, or at every gap, is found on the first day; one that shows in a single row, and reaches r rows
ahead, with probability 1 / SHARE times min(1, r / BITE) or more on the day it shows. (Literature: metamorphic testing,
spot checks.)
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64
from lotus_assets.stages.context import CheckOutcome
from lotus_assets.stages.tape.look_ahead import first_difference

SHARE = 4  # one piece of so many
BITE = 512  # rows of input between two cuts at most
PIECE = 16_384  # rows of input
Columns = Mapping[str, NDArray[np.generic]]


def pieces_of(rows: int) -> Iterator[tuple[int, int]]:
    """Yield (first, stop) of the pieces of so many rows."""
    for first in range(0, rows, PIECE):
        yield first, min(first + PIECE, rows)


class MadeAgain:
    """Which pieces of a table's day are made again and where they are cut, and what came of it."""

    def __init__(self, what: str, day: str, seed: int) -> None:
        """Begin a day of a table."""
        self._key = (seed, what, day)
        self._pieces = self._compared = self._rows = self._cuts = self._made = 0
        self._has_gap, self._fault = False, ""

    def wants(self, rows: int, has_gap: bool) -> bool:
        """Tell whether the next piece, which gave so many rows, is to be made again."""
        piece, self._pieces = self._pieces, self._pieces + 1
        self._rows += rows
        first_gap, self._has_gap = has_gap and not self._has_gap, has_gap or self._has_gap
        drawn = key64(*self._key, "piece", piece // SHARE) % SHARE == piece % SHARE
        return drawn or first_gap or piece == 0

    def bites(self, rows: int, gaps: Iterable[int] = ()) -> Iterator[tuple[int, int]]:
        """Yield (first, stop) of the bites of so many rows of input of the piece that was asked about last.

        A row that ends a gap (`gaps`) is a bite of its own.
        """
        first, edges = 0, sorted({rows, *(edge for gap in gaps for edge in (gap, gap + 1))})
        while first < rows:
            nearest = edges[bisect_right(edges, first)]
            stop = min(nearest, first + 1 + key64(*self._key, self._pieces, first) % BITE)
            self._cuts += stop < rows
            yield first, stop
            first = stop

    def compare(self, rows: int, *tables: tuple[Columns, Columns]) -> None:
        """Compare, bit for bit, the tables that the bites gave with those of the whole piece, which gave `rows`."""
        self._made, self._compared = self._made + 1, self._compared + rows
        for again, made in tables:
            column = first_difference(made, again) or first_difference(again, made)
            if column and not self._fault:
                self._fault = f"piece {self._pieces - 1} made again in bites: {column} differs"

    def outcome(self) -> CheckOutcome:
        """Return the check; it saw nothing when no piece was made again."""
        what = self._key[1]
        numbers = {
            "pieces": self._pieces, "made_again": self._made, "cuts": self._cuts, "rows": self._rows,
            "rows_compared": self._compared, "share": round(self._compared / self._rows, 4) if self._rows else 0.0,
        }  # fmt: skip
        seen = f"{self._made} of {self._pieces} pieces made again, {self._cuts} cuts"
        text = f"{what}: {self._fault}" if self._fault else f"{seen}, {self._compared} of {self._rows} rows equal"
        return CheckOutcome("no_look_ahead", not self._fault, text, numbers, unseen=self._compared == 0)
