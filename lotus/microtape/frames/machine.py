"""Frames from events: one event at a time (`FrameMachine`), or piece by piece of a tape (`FrameStream`).

Both call the same compiled step, so the same events give the same bits, however they are cut. Files, days and branches
are not known here: the caller feeds tape from 22:00 UTC of the day before and cuts with `FrameBatch.of_day`.
"""

from collections.abc import Sequence
from copy import copy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Asset, Manifest
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import N_FLOATS, N_GAP, N_INTS, N_QUOTE
from lotus.microtape.frames.state import max_rows, new_params, new_state
from lotus.microtape.frames.step import FRAMES, GAPS, QUOTES, count_rows, run, step

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
T = TypeVar("T", bound=np.generic)


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


class FrameStream:
    """Frames, quotes and gaps of a tape that is fed piece by piece, from a blank state, and all of them at the end.

    `room`: so many frames are kept without moving them; room that is not used costs no memory.
    """

    def __init__(self, manifest: Manifest, universe: Sequence[Asset], room: int = 0) -> None:
        """Start blank; raises `ConfigError` for a cadence or gap limit outside its range."""
        self._cadence_ms, self._gap_ms = manifest.kernel.cadence_ms, manifest.kernel.gap_ms
        self._universe = tuple(universe)
        self._params, self._blank, self._state = new_params(manifest), new_state(universe), new_state(universe)
        self._outputs = _outputs(room)
        self._counts = np.zeros(3, np.int64)

    def feed(self, batch: EventBatch) -> FrameBatch:
        """Take the next events; return the rows that they closed, views into what `frames` gives."""
        state, before = self._state, self._counts.copy()
        last = np.where(state["alive"] != 0, state["last_ms"], -1)
        new = count_rows(
            batch.time_ms, batch.recv_ns, batch.kind, batch.asset, last, state["has_quotes"] != 0,
            state["waiting_ms"].copy(), self._cadence_ms, self._gap_ms,
        )  # fmt: skip
        frames, quotes, gaps = ((int(n), int(n) + more) for n, more in zip(before, new, strict=True))
        ints, floats, tops, silences = self._outputs
        self._outputs = (
            _with_room(ints, *frames), _with_room(floats, *frames), _with_room(tops, *quotes),
            _with_room(silences, *gaps),
        )  # fmt: skip
        run(
            self._state, self._blank, self._params,
            batch.recv_ns, batch.time_ms, batch.seq, batch.kind, batch.asset, batch.off, batch.pool,
            *self._outputs, self._counts,
        )  # fmt: skip
        return self._rows(before)

    def frames(self) -> FrameBatch:
        """Return everything so far, in arrival order (views)."""
        return self._rows(np.zeros(3, np.int64))

    def going_on(self, other: "FrameStream", newborn: Sequence[int] = ()) -> "FrameStream":
        """Return one like this that goes on from the state of another, of which it knows nothing else.

        It has no rows yet; the assets `newborn` start as this one's do.
        """
        fork = copy(self)
        fork._state, fork._counts, fork._outputs = other._state.copy(), np.zeros(3, np.int64), _outputs(0)
        fork._state[list(newborn)] = self._state[list(newborn)]
        return fork

    def state_bytes(self) -> bytes:
        """Return the whole state, for a comparison bit by bit."""
        return self._state.tobytes()

    def _rows(self, first: Ints) -> FrameBatch:
        ints, floats, quotes, gaps = self._outputs
        frames = slice(first[FRAMES], self._counts[FRAMES])
        return FrameBatch(
            universe=self._universe,
            cadence_ms=self._cadence_ms,
            ints=ints[frames],
            floats=floats[frames],
            quotes=quotes[first[QUOTES] : self._counts[QUOTES]],
            gaps=gaps[first[GAPS] : self._counts[GAPS]],
        )


def build_frames(batch: EventBatch, manifest: Manifest, universe: Sequence[Asset]) -> FrameBatch:
    """Return every frame, quote and gap of a stretch of tape that starts from a blank state, in arrival order."""
    return FrameStream(manifest, universe).feed(batch)


def _outputs(room: int) -> tuple[Ints, Floats, Ints, Ints]:
    """Return rows for frames (integers, floats), quotes and gaps; a frame has about three quotes on the venue."""
    return (
        np.empty((room, N_INTS), np.int64),
        np.empty((room, N_FLOATS)),
        np.empty((3 * room, N_QUOTE), np.int64),
        np.empty((0, N_GAP), np.int64),
    )


def _with_room(rows: NDArray[T], kept: int, wanted: int) -> NDArray[T]:
    """Return rows with room for `wanted` of them, the first `kept` being those that stood there."""
    if wanted <= len(rows):
        return rows
    grown = np.empty((wanted if not kept else max(wanted, 2 * len(rows)), rows.shape[1]), rows.dtype)
    grown[:kept] = rows[:kept]
    return grown
