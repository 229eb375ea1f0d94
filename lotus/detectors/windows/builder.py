"""Windows from frames: the live builder (frame by frame) and the batch, both on `step`.

Rows stand in the order of the frames that closed them: by close_seq, then asset. No scoring and no files here; the
layout of a row is `row_spec`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.registry import scored_detectors
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.spec_compile import CompiledDetectors, compile_detectors
from lotus.detectors.windows.programs import Running, run_picked, run_signals
from lotus.detectors.windows.row_spec import N_INTS, T_VALUES, W_AGE, W_ASSET, n_floats
from lotus.detectors.windows.state import new_window_state, window_params
from lotus.detectors.windows.step import (
    READY,
    TAKEN,
    Picks,
    WindowTables,
    close_window,
    finish_frames,
    keep_frame,
    run_frames,
    run_windows,
)
from lotus.errors import SchemaError
from lotus.experts.machine import AnnotationBatch
from lotus.jit_entry import entry_point
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import I_ASSET, I_END, N_FLOATS
from lotus.microtape.frames.spec import N_INTS as N_FRAME_INTS
from lotus.tape_machine.machine import BLOCK
from lotus.tape_machine.program import Program
from lotus.tape_machine.state import MachineState, new_state, take_over

PART: Final[int] = 65_536  # frames of a batch whose windows stand in memory at once
_FIRST: Final = np.zeros(1, np.int64)
_NOWHERE: Final = np.full(1, -1)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """Windows of all assets: ints i8[n, N_INTS], floats f8[n, n_floats(D)]; `row_spec` names the columns."""

    detectors: tuple[DetectorSpec, ...]
    window_ms: int
    ints: Ints
    floats: Floats

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.ints)


@dataclass(frozen=True, slots=True)
class Recent:
    """Frames of the recent past in the order they closed: ints i8[n, N_INTS], floats f8[n, N_FLOATS], annotations."""

    ints: Ints
    floats: Floats
    annotations: Floats


class WindowBuilder:
    """The window state of every asset, fed one frame at a time; after a True `feed` read `ints` and `floats`."""

    def __init__(self, manifest: Manifest, n_assets: int, detectors: Sequence[DetectorSpec] | None = None) -> None:
        """Start blank with the shipped detectors unless others are given."""
        self._manifest, self._n_assets = manifest, n_assets
        self._window_ms = manifest.kernel.window_ms
        self._params = window_params(manifest)
        self._blank, self._state = new_window_state(1), new_window_state(n_assets)
        self._rows = np.full((n_assets, self._window_ms // manifest.kernel.cadence_ms, N_FLOATS), np.nan)
        self.ints = np.zeros(N_INTS, np.int64)
        self._open = (self._state, self._blank, self._params, self._rows)
        self._take = entry_point(keep_frame, *self._open, np.zeros(N_FRAME_INTS, np.int64), np.zeros(N_FLOATS))
        compiled = compile_detectors(scored_detectors(manifest) if detectors is None else detectors, manifest)
        self._run(compiled, new_state(compiled.frames, n_assets), new_state(compiled.windows, n_assets))

    def feed(self, ints: Ints, floats: Floats, annotation: Floats) -> bool:
        """Take one frame row and its annotation row (f8[N_VALUES]); return whether it closed a whole window."""
        came = self._take(*self._open, ints, floats)
        if came == TAKEN:
            return False
        if came == READY:
            run_frames(self._state, self._rows, self._all.frames, int(ints[I_ASSET]), self._rows.shape[1] - 1)
            return False
        finish_frames(self._all, ints, self._table[0])
        if not close_window(self._all, ints, floats, annotation, self._table[0], self.ints, self.floats):
            return False
        self._rebirth[0] = self.ints[W_AGE] == 0
        run_signals(
            self._windows, int(ints[I_ASSET]),
            self._table, _FIRST, _NOWHERE, self._rebirth, self._results, self._out,
        )  # fmt: skip
        return True

    @property
    def arrays(self) -> tuple[WindowTables, Running, Floats, NDArray[np.bool_], Floats, Floats]:
        """What kernels need to close a window: both programs, table row, birth, results and float row, one of each."""
        return self._all, self._windows, self._table, self._rebirth, self._results, self._out

    def feed_all(self, ints: Ints, floats: Floats, annotations: Floats) -> WindowBatch:
        """Take many frame rows in order and return the windows they closed."""
        counts, width = self._state["count"], self._rows.shape[1]
        begun = int(counts.sum())
        if begun:  # windows that are open stand before the rows that come
            kept = [self._rows[asset, : min(count, width)] for asset, count in enumerate(counts)]
            floats = np.concatenate([*kept, floats])
            ints = np.concatenate([np.zeros((len(floats) - len(ints), ints.shape[1]), np.int64), ints])
        first = len(ints) - len(annotations)
        open_rows = np.zeros((self._n_assets, width), np.int64)
        start = 0
        for asset, count in enumerate(np.minimum(counts, width)):
            open_rows[asset, :count] = np.arange(start, start + count)
            start += int(count)
        parts = [
            self._part(ints, floats, annotations[k : k + PART], first + k, open_rows)
            for k in range(0, max(len(annotations), 1), PART)
        ]
        for asset, count in enumerate(np.minimum(counts, width)):
            self._rows[asset, :count] = floats[open_rows[asset, :count]]
        made_ints, made_floats = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return WindowBatch(self.detectors, self._window_ms, made_ints, made_floats)

    def _part(
        self, ints: Ints, floats: Floats, annotations: Floats, first: int, open_rows: Ints
    ) -> tuple[Ints, Floats]:
        stop, frames, windows = first + len(annotations), self._all.frames, self._windows
        ends = int(np.count_nonzero(ints[first:stop, I_END] % self._window_ms == 0)) + 1
        table = np.empty((ends, self.compiled.table_width))
        out_ints, out_floats = np.zeros((ends, N_INTS), np.int64), np.zeros((ends, len(self.floats)))
        room = stop - first + open_rows.size
        row, asset_of, to = np.empty((3, room), np.int64)
        picks = Picks(row, asset_of, to, np.empty(room, np.bool_), open_rows)
        n, many = run_windows(self._all, ints, floats, annotations, first, table, out_ints, out_floats, picks)
        values, results = np.empty((ends, len(frames.outputs))), np.empty((ends, self._results.shape[1]))
        births, of = out_ints[:n, W_AGE] == 0, out_ints[:n, W_ASSET]
        frames = frames._replace(registers=self.compiled.frames.new_registers(BLOCK))
        windows = windows._replace(registers=self.compiled.windows.new_registers(BLOCK))
        for asset in range(self._n_assets):
            own_rows = np.flatnonzero(picks.asset[:many] == asset)
            run_picked(frames, asset, floats, picks.row[own_rows], picks.birth[own_rows], picks.to[own_rows], values)
        table[:n, T_VALUES : T_VALUES + values.shape[1]] = values[:n]
        for asset in range(self._n_assets):
            rows = np.flatnonzero(of == asset)
            run_signals(windows, asset, table, rows, np.full(len(rows), -1), births[rows], results, out_floats)
        return out_ints[:n], out_floats[:n]

    def swap(self, detectors: Sequence[DetectorSpec], recent: Recent | None = None) -> None:
        """Continue with other detectors from the next frame on; nothing is compiled to machine code.

        Nodes of both sets keep their state bit for bit. New ones start blank (their signals 0 until warmed), or, given
        `recent` frames up to the last one fed, as they stand after those. `compile_detectors` beforehand makes the
        swap itself a copy: a new spec takes milliseconds to read. Raises `ConfigError` as it does.
        """
        fresh = WindowBuilder(self._manifest, self._n_assets, detectors)
        if recent is not None:
            fresh.feed_all(recent.ints, recent.floats, recent.annotations)
        for asset in np.flatnonzero(self._state["ran"]):
            fresh._state["ran"][asset] = 0
            run_frames(fresh._state, self._rows, fresh._all.frames, int(asset), int(self._state["ran"][asset]))
        new, old = fresh.compiled, self.compiled
        take_over(fresh._frame_state, new.frames, self._frame_state, old.frames)
        take_over(fresh._window_state, new.windows, self._window_state, old.windows)
        self._run(new, fresh._frame_state, fresh._window_state)

    def _run(self, compiled: CompiledDetectors, frame_state: MachineState, window_state: MachineState) -> None:
        self.compiled, self.detectors = compiled, compiled.detectors
        self._frame_state, self._window_state = frame_state, window_state
        self._table, self._rebirth = np.full((1, compiled.table_width), np.nan), np.zeros(1, np.bool_)
        self._results = np.zeros((1, len(compiled.windows.outputs)))
        self._out = np.zeros((1, n_floats(len(compiled.detectors))))
        self.floats: Floats = self._out[0]
        self._all = WindowTables(
            self._state, self._blank, self._params, self._rows,
            _running(compiled.frames, frame_state, self._rows.shape[1]),
        )  # fmt: skip
        self._windows = _running(compiled.windows, window_state, 1)


def build_windows(
    frames: FrameBatch,
    annotations: AnnotationBatch,
    manifest: Manifest,
    detectors: Sequence[DetectorSpec] | None = None,
) -> WindowBatch:
    """Return every whole window of a stretch of frames that starts from a blank state.

    `annotations` stand row by row beside the frames; raises `SchemaError` when they do not.
    """
    if len(annotations) != len(frames):
        raise SchemaError(f"{len(annotations)} annotations of {len(frames)} frames", "one per frame, same order")
    builder = WindowBuilder(manifest, len(frames.universe), detectors)
    return builder.feed_all(frames.ints, frames.floats, annotations.values)


def _running(program: Program, state: MachineState, width: int) -> Running:
    return Running(
        program.code, program.params, program.outputs, state.floats, state.ints,
        program.new_registers(width),
    )  # fmt: skip
