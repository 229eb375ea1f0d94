"""Frames from events: one event at a time (`FrameMachine`) and a whole stretch of tape (`build_frames`).

Both call the same compiled step, so the same events give the same bits. Files, days and branches are not known here:
the caller feeds tape from 22:00 UTC of the day before and cuts with `FrameBatch.between`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Asset, Manifest
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import N_FLOATS, N_GAP, N_INTS, N_QUOTE
from lotus.microtape.frames.state import max_rows, new_params, new_state
from lotus.microtape.frames.step import FRAMES, GAPS, QUOTES, count_rows, run, step


class FrameMachine:
    """The state of every asset of a universe, fed one event at a time.

    After `feed` the rows it closed are views into preallocated buffers, valid until the next call: `ints`
    (int64[n, N_INTS]), `floats` (float64[n, N_FLOATS]), `quotes` (int64[0 or 1, 8]) and `gaps` (int64[0 or 1, 4]).
    """

    def __init__(self, manifest: Manifest, universe: Sequence[Asset]) -> None:
        """Start blank; raises `ConfigError` for a cadence or gap limit outside its range."""
        self._params = new_params(manifest)
        self._blank = new_state(universe)
        self._state = new_state(universe)
        rows = max_rows(self._params)
        self._ints = np.zeros((rows, N_INTS), np.int64)
        self._floats = np.zeros((rows, N_FLOATS), np.float64)
        self._quotes = np.zeros((1, N_QUOTE), np.int64)
        self._gaps = np.zeros((1, N_GAP), np.int64)
        self._counts = np.zeros(3, np.int64)

    def feed(self, recv_ns: int, time_ms: int, seq: int, kind: int, asset: int, payload: NDArray[np.int64]) -> int:
        """Take one event (layout of `events`, payload contiguous int64) and return the number of frames it closed."""
        self._counts[:] = 0
        step(
            self._state, self._blank, self._params,
            recv_ns, time_ms, seq, kind, asset, payload, 0, len(payload),
            self._ints, self._floats, self._quotes, self._gaps, self._counts,
        )  # fmt: skip
        return int(self._counts[FRAMES])

    @property
    def arrays(self) -> tuple[Any, ...]:
        """What `step` needs: state, blank, parameters, then the outputs ints, floats, quotes, gaps and counts."""
        outputs = self._ints, self._floats, self._quotes, self._gaps, self._counts
        return self._state, self._blank, self._params, *outputs

    def row_views(self) -> tuple[tuple[NDArray[np.int64], NDArray[np.float64]], ...]:
        """Return a pair of views (ints, floats) of every output row, made once for callers that step themselves."""
        return tuple(zip(self._ints, self._floats, strict=True))

    @property
    def ints(self) -> NDArray[np.int64]:
        """Integer columns of the frames closed by the last `feed`."""
        return self._ints[: self._counts[FRAMES]]

    @property
    def floats(self) -> NDArray[np.float64]:
        """Float columns of the frames closed by the last `feed`."""
        return self._floats[: self._counts[FRAMES]]

    @property
    def quotes(self) -> NDArray[np.int64]:
        """The quote that the last `feed` set, if any."""
        return self._quotes[: self._counts[QUOTES]]

    @property
    def gaps(self) -> NDArray[np.int64]:
        """The gap that the last `feed` ended, if any."""
        return self._gaps[: self._counts[GAPS]]

    def state_bytes(self) -> bytes:
        """Return the whole state, for tests that compare two machines bit by bit."""
        return self._state.tobytes()


def build_frames(batch: EventBatch, manifest: Manifest, universe: Sequence[Asset]) -> FrameBatch:
    """Return every frame, quote and gap of a stretch of tape that starts from a blank state, in arrival order."""
    params, blank, state = new_params(manifest), new_state(universe), new_state(universe)
    n_frames, n_quotes, n_gaps = count_rows(
        batch.time_ms,
        batch.recv_ns,
        batch.kind,
        batch.asset,
        len(universe),
        manifest.kernel.cadence_ms,
        manifest.kernel.gap_ms,
    )
    ints, floats = np.empty((n_frames, N_INTS), np.int64), np.empty((n_frames, N_FLOATS), np.float64)
    quotes, gaps = np.empty((n_quotes, N_QUOTE), np.int64), np.empty((n_gaps, N_GAP), np.int64)
    counts = np.zeros(3, np.int64)
    run(
        state, blank, params,
        batch.recv_ns, batch.time_ms, batch.seq, batch.kind, batch.asset, batch.off, batch.pool,
        ints, floats, quotes, gaps, counts,
    )  # fmt: skip
    return FrameBatch(
        universe=tuple(universe),
        cadence_ms=manifest.kernel.cadence_ms,
        ints=ints,
        floats=floats,
        quotes=quotes[: counts[QUOTES]],
        gaps=gaps,
    )
