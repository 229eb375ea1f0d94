"""The frames of the last day, which triggers may look back at, in the order of their ends: in a file without a name.

Kept exactly, so that a watch begun later sees what one begun earlier saw. A day of an asset at five frames a second is
115 MB; of these `ROWS` frames wait in memory, which is all that a process takes from its first minute on. The file goes
with its process: a start fills it again from the tape. Frames that the disk does not take are unknown, as are those of
before. Nothing is judged here. In the literature: ring buffer, external memory.
"""

import logging
import os
import tempfile
import weakref
from bisect import bisect_right
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.microtape.frames.spec import I_ASSET, I_END, I_FRAME, N_FLOATS, N_INTS
from lotus_store.files import make_folder

logger = logging.getLogger(__name__)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
ROWS: Final = 64  # frames of an asset that wait in memory: 13 s, and a write of 18 kB
_WIDTH: Final = 2 + N_FLOATS  # the frame's number and end, and its columns: a trigger may compare any
_ROW_BYTES: Final = 8 * _WIDTH
_READ_ROWS: Final = 4_096  # at once


class FrameMemory:
    """The last `most` frames of each of `assets` assets; its file stands in `folder`, without one where the system's.

    Where no file can be made, the frames that wait in memory are all.
    """

    def __init__(self, assets: int, most: int, folder: Path | None = None) -> None:
        """Remember nothing yet."""
        self.most, self.lost = most, 0
        self._handle = _opened(folder)
        self.close = weakref.finalize(self, _closed, self._handle)  # gives the room free
        self._counts = [0] * assets
        self._first = [0] * assets  # numbers of the first frames of which all later ones can be read
        self._written = [0] * assets
        self._floats: Floats = np.zeros((assets, ROWS, _WIDTH))
        self._ints: Ints = self._floats.view(np.int64)

    def add(self, asset: int, ints: Ints, floats: Floats) -> None:
        """Remember a frame of an asset."""
        count = self._counts[asset]
        row = count % ROWS
        self._ints[asset, row, 0], self._ints[asset, row, 1] = ints[I_FRAME], ints[I_END]
        self._floats[asset, row, 2:] = floats
        self._counts[asset] = count = count + 1
        if count % ROWS == 0 or count % self.most == 0:
            self._write(asset, count)

    def since(self, asset: int, after_ms: int) -> tuple[Ints, Floats]:
        """Return the remembered frames that end later than a time, oldest first; what is not kept is unknown."""
        try:
            return self._since(asset, after_ms)
        except OSError as problem:
            self._forget(asset, self._written[asset], problem)
            return self._since(asset, after_ms)

    def _since(self, asset: int, after_ms: int) -> tuple[Ints, Floats]:
        count = self._counts[asset]
        oldest = max(self._first[asset], count - self.most)
        first = bisect_right(range(count), after_ms, lo=oldest, key=lambda n: self._end_ms(asset, n))
        ints, floats = np.zeros((count - first, N_INTS), np.int64), np.empty((count - first, N_FLOATS))
        ints[:, I_ASSET] = asset
        number = first
        while number < count:
            rows = self._rows(asset, number, count)
            into = slice(number - first, number - first + len(rows))
            ints[into, (I_FRAME, I_END)] = rows.view(np.int64)[:, :2]
            floats[into] = rows[:, 2:]
            number += len(rows)
        return ints, floats

    def _write(self, asset: int, stop: int) -> None:
        """Put what waits into the file, up to a number; the ring's end is never inside."""
        number = self._written[asset]
        waiting = self._floats[asset, number % ROWS : (stop - 1) % ROWS + 1]
        self._written[asset] = stop
        try:
            if os.pwrite(self._handle, waiting.data, self._place(asset, number)) != waiting.nbytes:
                raise OSError("half of the frames were written")
        except OSError as problem:
            self._forget(asset, stop, problem)

    def _forget(self, asset: int, stop: int, problem: OSError) -> None:
        if not self.lost:
            logger.warning("frames that triggers look back at are forgotten: %s", problem)
        self.lost += stop - max(self._first[asset], self._counts[asset] - self.most)
        self._first[asset] = stop

    def _place(self, asset: int, number: int) -> int:
        return (asset * self.most + number % self.most) * _ROW_BYTES

    def _end_ms(self, asset: int, number: int) -> int:
        return int(self._rows(asset, number, number + 1).view(np.int64)[0, 1])

    def _rows(self, asset: int, number: int, stop: int) -> Floats:
        """Return kept rows from a number on, up to one or as many as stand together."""
        written = self._written[asset]
        if number >= written:
            return self._floats[asset, number % ROWS : number % ROWS + stop - number]
        stop = min(stop, written, number + _READ_ROWS, (number // self.most + 1) * self.most)
        raw = os.pread(self._handle, (stop - number) * _ROW_BYTES, self._place(asset, number))
        if len(raw) != (stop - number) * _ROW_BYTES:
            raise OSError("the file of frames is shorter than what was written")
        return np.frombuffer(raw, np.float64).reshape(-1, _WIDTH)


def _opened(folder: Path | None) -> int:
    """Return a handle of a file without a name, -1 where none can be made."""
    try:
        if folder is not None:
            make_folder(folder)
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.dup(file.fileno())
    except OSError as problem:
        logger.warning("there is no file for frames that triggers look back at: %s", problem)
        return -1


def _closed(handle: int) -> None:
    if handle >= 0:
        os.close(handle)
