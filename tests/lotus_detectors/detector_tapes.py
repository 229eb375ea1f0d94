"""Frames of one asset made to order: a quiet market, into which a test writes what its detector waits for."""

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.registry import known_detectors
from lotus.detectors.windows.builder import build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL
from lotus.experts.annotation_spec import N_VALUES
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames import spec as c
from lotus.microtape.frames.batch import FrameBatch
from lotus.timebase import day_start_ms

START_MS = day_start_ms("2025-03-03")
PER_WINDOW = 25


class Tape:
    """`windows` windows of one asset: a mid that trembles around 100,000 ticks, a steady book and steady trade."""

    def __init__(self, windows: int, seed: int = 3) -> None:
        rng = np.random.default_rng(seed)
        n = windows * PER_WINDOW
        self.columns: dict[int, NDArray[np.float64]] = {
            c.C_IMB_5: 0.05 * rng.normal(size=n),
            c.C_MICRO: 0.002 * rng.normal(size=n),
            c.C_SPREAD: np.full(n, 1.0),
            c.C_DEPTH_BID: 1e6 * (1 + 0.01 * rng.normal(size=n)),
            c.C_DEPTH_ASK: 1e6 * (1 + 0.01 * rng.normal(size=n)),
            c.C_SWEEP: np.zeros(n),
            c.C_AGGR: 0.1 * rng.normal(size=n),
            c.C_VOLUME: np.full(n, 1e4),
            c.C_OI: np.full(n, 1e5),
            c.C_FUNDING: np.full(n, 0.1),
            c.C_BASIS: 0.02 * rng.normal(size=n),
        }
        self.bps = np.cumsum(0.3 * rng.normal(size=n)) * 0.2  # the path of the mid

    def last(self, column: int, windows: float) -> NDArray[np.float64]:
        """Return the last `windows` windows of a column (-1: the path of the mid), to be written to."""
        values = self.bps if column < 0 else self.columns[column]
        return values[-int(windows * PER_WINDOW) :]

    def signals(self, detector_id: str) -> NDArray[np.float64]:
        """Return s of every window."""
        n = len(self.bps)
        ints, floats = np.zeros((n, c.N_INTS), np.int64), np.full((n, c.N_FLOATS), np.nan)
        ints[:, c.I_END] = START_MS + 200 * np.arange(1, n + 1)
        ints[:, c.I_FRAME] = ints[:, c.I_END] // 200
        mid = 1e5 * (1 + self.bps / 1e4)
        ints[:, c.I_MID2] = np.round(2 * mid).astype(np.int64)
        floats[:, c.C_MID] = ints[:, c.I_MID2] / 2
        floats[1:, c.C_RET] = 1e4 * np.diff(floats[:, c.C_MID]) / floats[:-1, c.C_MID]
        for column, values in self.columns.items():
            floats[:, column] = values
        frames = FrameBatch((Asset("A", 2),), 200, ints, floats, np.zeros((0, 8), np.int64), np.zeros((0, 4), np.int64))
        notes = AnnotationBatch(ints[:, :2], np.zeros((n, N_VALUES)))
        spec = next(d for d in known_detectors() if d.detector_id == detector_id)
        found: NDArray[np.float64] = build_windows(frames, notes, Manifest(), (spec,)).floats[:, F_SIGNAL]
        return found
