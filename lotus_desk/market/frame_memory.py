"""The frames of the last day, as far as triggers look at them: a ring for each asset, in the order of their ends.

Kept exactly, so that a watch begun later sees what one begun earlier saw. At five frames a second a ring takes 4.8 MB
an hour and asset, until a day of 115 MB is full. Nothing is judged here. In the literature: ring buffer.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.microtape.frames.spec import C_GAP, C_MID, C_VOLUME, I_ASSET, I_END, I_FRAME, N_FLOATS, N_INTS
from lotus.triggers.operators import QUANTITIES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_LOOKED_AT: Final = sorted({C_GAP, C_MID, C_VOLUME, *(q.column for q in QUANTITIES.values() if q.column >= 0)})
COLUMNS: Final[Ints] = np.array(_LOOKED_AT, np.int64)


class FrameMemory:
    """The last `most` frames of one asset."""

    def __init__(self, asset: int, most: int) -> None:
        """Remember nothing yet; room is taken as it fills."""
        self.asset, self.most, self.count = asset, most, 0
        self._ints: Ints = np.empty((most, 2), np.int64)
        self._floats: Floats = np.empty((most, len(COLUMNS)), np.float64)

    def add(self, ints: Ints, floats: Floats) -> None:
        """Remember a frame."""
        row = self.count % self.most
        self._ints[row, 0], self._ints[row, 1] = ints[I_FRAME], ints[I_END]
        self._floats[row] = floats[COLUMNS]
        self.count += 1

    def since(self, after_ms: int) -> tuple[Ints, Floats]:
        """Return the remembered frames that end later than a time, oldest first; what is not kept is unknown."""
        rows = np.arange(max(0, self.count - self.most), self.count) % self.most
        rows = rows[self._ints[rows, 1] > after_ms]
        ints, floats = np.zeros((len(rows), N_INTS), np.int64), np.full((len(rows), N_FLOATS), np.nan)
        ints[:, I_ASSET] = self.asset
        ints[:, (I_FRAME, I_END)] = self._ints[rows]
        floats[:, COLUMNS] = self._floats[rows]
        return ints, floats
