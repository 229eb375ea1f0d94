"""From the frames that a line closed to the window that one of them closes, in one compiled call.

The kernel joins the ring of recent frames, the experts' waiting frames, the window step and the signals; each of them
is also a kernel of its own that the batch or a plain machine uses. Nothing is computed here that they do not compute,
and nothing is scored. (Literature: operator fusion.)
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.builder import Recent, WindowBuilder
from lotus.detectors.windows.programs import Running, run_signals
from lotus.detectors.windows.ring import FrameRing, put_frame
from lotus.detectors.windows.row_spec import W_AGE
from lotus.detectors.windows.step import (
    CLOSES,
    READY,
    WindowTables,
    close_window,
    finish_frames,
    keep_frame,
    run_frames,
)
from lotus.experts.annotation_spec import WINDOW_MS
from lotus.experts.fusion import ExpertSet
from lotus.experts.waiting import WaitingFrames, let_wait, run_waiting, waiting_frames
from lotus.jit import kernel
from lotus.jit_entry import entry_point
from lotus.manifest import Manifest
from lotus.microtape.frames.spec import I_ASSET, I_END

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_FIRST: Final = np.zeros(1, np.int64)
_NOWHERE: Final = np.full(1, -1)


@kernel
def take_closed(
    first: int, stop: int, counts: bool, span: Ints, ints: Ints, floats: Floats,
    ring_ints: Ints, ring_floats: Floats, ring_notes: Floats, ring_count: Ints,
    waiting: WaitingFrames, windows: WindowTables, signals: Running,
    table: Floats, rows: Ints, nowhere: Ints, rebirth: Flags, results: Floats, out_ints: Ints, out_floats: Floats,
) -> int:  # fmt: skip
    """Take the frame rows [first, stop) up to one that closes a whole window, which is then in the out rows.

    Return the number of the next row, as -number where such a window was closed. span: start and end (ms) of a day and
    how many frames ended in it, counted where `counts`. rows, nowhere: 0 and -1; the rest as in `put_frame`,
    `run_waiting`, `close_window` and `run_signals`.
    """
    for i in range(first, stop):
        if counts and span[0] < ints[i, I_END] <= span[1]:
            span[2] += 1
        at, place = ints[i, I_ASSET], put_frame(ring_ints, ring_floats, ring_notes, ring_count, ints[i], floats[i])
        is_full = let_wait(waiting, ints[i], floats[i], place)
        if is_full or ints[i, I_END] % windows.params[0]["window_ms"] == 0 or ints[i, I_END] % WINDOW_MS == 0:
            run_waiting(waiting, at, ring_notes, place)
        what = keep_frame(windows.state, windows.blank, windows.params, windows.rows, ints[i], floats[i])
        if what == READY:
            run_frames(windows.state, windows.rows, windows.frames, at, windows.rows.shape[1] - 1)
        elif what == CLOSES:
            finish_frames(windows, ints[i], table[0])
            if close_window(windows, ints[i], floats[i], waiting.latest[0], table[0], out_ints, out_floats[0]):
                rebirth[0] = out_ints[W_AGE] == 0
                run_signals(signals, at, table, rows, nowhere, rebirth, results, out_floats)
                return -(i + 1)
    return stop


class ClosedFrames:
    """Experts, windows and recent frames of one universe, fed what a frame machine closes into its buffers.

    After `take`: `is_closed` tells whether the last frame taken closed a window, which is `ints` and `floats`; `latest`
    is all that the experts say (f8[A_Z + experts]) of the frame that they saw last.
    """

    def __init__(
        self,
        manifest: Manifest,
        n_assets: int,
        detectors: Sequence[DetectorSpec],
        experts: ExpertSet,
        closed: tuple[Ints, Floats],
        start_ms: int,
        stop_ms: int,
    ) -> None:
        """Start blank; `closed`: the buffers of frame rows (ints, floats); the day's start and end.

        Raises `ConfigError` as its parts do.
        """
        self.ring, self.is_closed = FrameRing(), False
        self._windows = WindowBuilder(manifest, n_assets, detectors)
        self._waiting = waiting_frames(n_assets, manifest.kernel.cadence_ms, experts)
        self.latest = self._waiting.latest[0]
        self._closed, self._span = closed, np.array([start_ms, stop_ms, 0])
        self._bind()
        self._call = entry_point(take_closed, 0, 0, False, *self._given)

    def take(self, first: int, stop: int, counts: bool) -> int:
        """Take the frame rows from `first` on, up to one that closes a whole window; return the next row's number.

        `counts`: those that end in the day are given out.
        """
        if self.ring.make_room(stop - first):
            self._bind()
        place = self._call(first, stop, counts, *self._given)
        self.is_closed = place < 0
        return abs(place)

    @property
    def given_out(self) -> int:
        """Number of frames of the day given out."""
        return int(self._span[2])

    @property
    def ints(self) -> Ints:
        """Integer row of the window closed last."""
        return self._windows.ints

    @property
    def floats(self) -> Floats:
        """Float row of the window closed last."""
        return self._windows.floats

    def settle(self) -> None:
        """Let the experts see every frame that waits."""
        for asset in np.flatnonzero(self._waiting.many).tolist():
            run_waiting(self._waiting, asset, self.ring.arrays[2], len(self.ring) - 1)

    def recent(self, span_ms: int) -> Recent:
        """Return the frames that ended within `span_ms` of the latest one, oldest first."""
        self.settle()
        return self.ring.last(span_ms)

    def swap(self, detectors: Sequence[DetectorSpec], recent: Recent | None) -> None:
        """Continue with other detectors from the next frame on, as `WindowBuilder.swap`."""
        self._windows.swap(detectors, recent)
        self._bind()

    def _bind(self) -> None:
        windows, signals, table, rebirth, results, out = self._windows.arrays
        self._given = (
            self._span, *self._closed, *self.ring.arrays, self._waiting, windows, signals,
            table, _FIRST, _NOWHERE, rebirth, results, self._windows.ints, out,
        )  # fmt: skip
