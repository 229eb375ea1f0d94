"""The latest frames of all assets with what the experts say of them, from which new detectors are warmed.

A frame's place is its number since the start. Nothing is computed here. (Literature: ring buffer.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.windows.builder import Recent
from lotus.experts.annotation_spec import A_CONFIRM, N_VALUES
from lotus.jit import kernel
from lotus.microtape.frames.spec import I_END, N_FLOATS, N_INTS

RING_ROWS: Final = 65_536  # frames of all assets: 18 minutes of twelve assets
_FIRST_ROWS: Final = 1_024

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class FrameRing:
    """At most `RING_ROWS` frames: place p is row p % len. Memory grows with what it has seen.

    `arrays` are ints i8[rows, N_INTS], floats f8[rows, N_FLOATS], notes f8[rows, N_VALUES] and the number of frames so
    far i8[1]; the notes of a frame that is not annotated yet are null.
    """

    def __init__(self) -> None:
        """Start empty."""
        rows = self._rows = _FIRST_ROWS
        self._count = np.zeros(1, np.int64)
        self.arrays = (
            np.zeros((rows, N_INTS), np.int64),
            np.zeros((rows, N_FLOATS)),
            np.zeros((rows, N_VALUES)),
            self._count,
        )

    def __len__(self) -> int:
        """Return the number of frames so far, those forgotten included."""
        return self._count.item()

    def make_room(self, frames: int) -> bool:
        """Grow, if more frames would push out old ones though they need not; return whether the arrays are others."""
        if self._rows >= RING_ROWS or self._count.item() + frames <= self._rows:
            return False
        ints, floats, notes, count = self.arrays
        while len(self) + frames > len(ints) < RING_ROWS:
            ints, floats, notes = (np.concatenate([rows, np.zeros_like(rows)]) for rows in (ints, floats, notes))
        self.arrays, self._rows = (ints, floats, notes, count), len(ints)
        return True

    def row(self, place: int) -> tuple[Ints, Floats, Floats]:
        """Return views of a frame that is still kept and of its notes."""
        ints, floats, notes, _ = self.arrays
        at = place % len(ints)
        return ints[at], floats[at], notes[at]

    def is_annotated(self, place: int) -> bool:
        """Tell whether the experts have spoken of a frame that is still kept."""
        flag = self.arrays[2].item(place % len(self.arrays[2]), A_CONFIRM)
        return bool(flag == flag)

    def last(self, span_ms: int) -> Recent:
        """Return the frames kept that ended within `span_ms` of the latest one, oldest first."""
        ints, floats, notes, _ = self.arrays
        kept = min(len(self), len(ints))
        order = np.arange(len(self) - kept, len(self)) % len(ints)
        ends = ints[order, I_END]
        order = order[ends > ends.max(initial=0) - span_ms]
        return Recent(ints[order], floats[order], notes[order])


@kernel
def put_frame(ring_ints: Ints, ring_floats: Floats, ring_notes: Floats, count: Ints, ints: Ints, floats: Floats) -> int:
    """Copy a frame row to the next place and return that; nothing is said of the frame yet."""
    place = count[0]
    at = place % len(ring_ints)
    for k in range(ring_ints.shape[1]):
        ring_ints[at, k] = ints[k]
    for k in range(ring_floats.shape[1]):
        ring_floats[at, k] = floats[k]
    for k in range(ring_notes.shape[1]):
        ring_notes[at, k] = np.nan
    count[0] = place + 1
    return int(place)
