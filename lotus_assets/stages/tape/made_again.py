"""The look-ahead check of what is made piece by piece: some pieces are made again, cut at many points.

A streaming machine takes a day in pieces, so that nothing can reach beyond a piece but what its memory holds. Within a
piece a machine that was born of nothing of the day gets the state before the piece, and nothing else, and takes the
same rows in bites: no bite knows the next one, so whatever looked ahead across a cut, or knew the day beforehand, gives
other bits. Rows are compared as they stood after their bite, and the state after the piece. Made again are the first
piece of every asset, from a blank state; one of every `SHARE`, drawn from a seed of table and day; and the first that
holds a gap, with the piece after it; around a gap every row is cut off. A leak that shows in every row of a column or
of an asset, at every gap or soon after it, is found on the first day; one that shows in a single row, and reaches r
rows ahead, with probability 1 / SHARE times min(1, r / BITE) or more on the day it shows. What the code keeps outside
its machines (a variable of a module) is not seen. (Literature: metamorphic testing, spot checks.)
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
AFTER_GAP = 4  # rows of an asset, after the one that ends a gap, that are cut off one by one
Columns = Mapping[str, NDArray[np.generic]]


def pieces_of(rows: int) -> Iterator[tuple[int, int]]:
    """Yield (first, stop) of the pieces of so many rows."""
    for first in range(0, rows, PIECE):
        yield first, min(first + PIECE, rows)


def around_gaps(ends_gap: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which rows of an asset end a gap or are among the `AFTER_GAP` rows after one that does."""
    around = ends_gap.copy()
    for k in range(1, AFTER_GAP + 1):
        around[k:] |= ends_gap[:-k]
    return around


def state_column(state: bytes) -> Columns:
    """Return the state of a machine as a table that can be compared."""
    return {"the state after it": np.frombuffer(state, np.uint8)}


class MadeAgain:
    """Which pieces of a table's day are made again and where they are cut, and what came of it."""

    def __init__(self, what: str, day: str, seed: int) -> None:
        """Begin a day of a table."""
        self._key = (seed, what, day)
        self.piece = -1  # that was asked about last
        self._compared = self._rows = self._cuts = 0
        self._seen, self._made = set[int](), set[int]()
        self._is_new = self._has_gap = self._follows = False
        self._fault = ""

    def newborn(self, assets: Iterable[int]) -> list[int]:
        """Return those of the assets of the next piece that were in no piece before; they make it a wanted one."""
        new = sorted(set(assets) - self._seen)
        self._seen.update(new)
        self._is_new = bool(new)
        return new

    def wants(self, rows: int, has_gap: bool) -> bool:
        """Tell whether the next piece, which gave so many rows, is to be made again."""
        self.piece += 1
        self._rows += rows
        first_gap, self._has_gap = has_gap and not self._has_gap, has_gap or self._has_gap
        follows, self._follows = self._follows, first_gap
        drawn = key64(*self._key, "piece", self.piece // SHARE) % SHARE == self.piece % SHARE
        return drawn or first_gap or follows or self._is_new

    def bites(self, rows: int, alone: Iterable[int] = ()) -> Iterator[tuple[int, int]]:
        """Yield (first, stop) of the bites of so many rows of input of the piece that was asked about last.

        The rows `alone`, those around a gap, are bites of their own.
        """
        first, edges = 0, sorted({rows, *(edge for row in alone for edge in (row, row + 1))})
        while first < rows:
            nearest = edges[bisect_right(edges, first)]
            stop = min(nearest, first + 1 + key64(*self._key, self.piece + 1, first) % BITE)
            self._cuts += stop < rows
            yield first, stop
            first = stop

    def compare(self, piece: int, rows: int, *tables: tuple[Columns, Columns]) -> None:
        """Compare, bit for bit, the tables that the bites of a piece gave with those of the whole, `rows` more rows."""
        self._made.add(piece)
        self._compared += rows
        for again, made in tables:
            column = first_difference(made, again) or first_difference(again, made)
            if column and not self._fault:
                self._fault = f"piece {piece} made again in bites: {column} differs"

    def outcome(self) -> CheckOutcome:
        """Return the check; it saw nothing when no piece was made again."""
        what, pieces, made = self._key[1], self.piece + 1, len(self._made)
        numbers = {
            "pieces": pieces, "made_again": made, "cuts": self._cuts, "rows": self._rows,
            "rows_compared": self._compared, "share": round(self._compared / self._rows, 4) if self._rows else 0.0,
        }  # fmt: skip
        seen = f"{made} of {pieces} pieces made again, {self._cuts} cuts"
        text = f"{what}: {self._fault}" if self._fault else f"{seen}, {self._compared} of {self._rows} rows equal"
        return CheckOutcome("no_look_ahead", not self._fault, text, numbers, unseen=self._compared == 0)
