"""Collects what a pipeline gives out as growing column buffers, so that a day can be hashed beside the batch's.

A sink for tests, parity and replays of bounded length; a daemon that runs for months does not keep frames.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.scoring.scored import Columns, Scored, columns_of
from lotus.experts.annotation_spec import A_Z, EXPERTS, N_VALUES, WINDOW_MS
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.experts.machine import AnnotationBatch, WindowNotes
from lotus.manifest import Asset
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import I_ASSET, I_END, I_FRAME, N_FLOATS, N_GAP, N_INTS, N_QUOTE


class GrowingMatrix:
    """A matrix that grows by doubling."""

    def __init__(self, width: int, dtype: type[Any]) -> None:
        """Start empty."""
        self._rows: NDArray[Any] = np.zeros((256, width), dtype)
        self._n = 0

    def add(self, row: NDArray[Any]) -> None:
        """Copy one row."""
        if self._n == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[self._n] = row
        self._n += 1

    def array(self) -> NDArray[Any]:
        """Return the rows so far (a copy)."""
        return self._rows[: self._n].copy()


@dataclass(slots=True)
class DayCollector:
    """Frames, annotations, quotes, gaps and events of one day, which these experts annotate."""

    experts: ExpertSet = field(default_factory=default_experts)
    ints: GrowingMatrix = field(default_factory=lambda: GrowingMatrix(N_INTS, np.int64))
    floats: GrowingMatrix = field(default_factory=lambda: GrowingMatrix(N_FLOATS, np.float64))
    notes: GrowingMatrix = field(default_factory=lambda: GrowingMatrix(N_VALUES, np.float64))
    spoken: GrowingMatrix = field(default_factory=lambda: GrowingMatrix(len(EXPERTS), np.float64))
    gaps: GrowingMatrix = field(default_factory=lambda: GrowingMatrix(N_GAP, np.int64))
    quotes: GrowingMatrix = field(default_factory=lambda: GrowingMatrix(N_QUOTE, np.int64))
    scored: list[Scored] = field(default_factory=list)
    window_ms: int = WINDOW_MS

    def frame(self, ints: NDArray[np.int64], floats: NDArray[np.float64], annotation: NDArray[np.float64]) -> None:
        """Take one frame row and its annotation row; z is kept where the frame closes a window."""
        self.ints.add(ints)
        self.floats.add(floats)
        self.notes.add(annotation[:N_VALUES])
        if ints[I_END] % self.window_ms == 0:
            self.spoken.add(annotation[A_Z:])

    def gap(self, row: NDArray[np.int64]) -> None:
        """Take one gap row."""
        self.gaps.add(row)

    def quote(self, row: NDArray[np.int64]) -> None:
        """Take one quote row."""
        self.quotes.add(row)

    def frames(self, universe: tuple[Asset, ...], cadence_ms: int) -> FrameBatch:
        """Return the frames as a batch."""
        quotes, gaps = self.quotes.array(), self.gaps.array()
        return FrameBatch(
            universe=universe,
            cadence_ms=cadence_ms,
            ints=self.ints.array(),
            floats=self.floats.array(),
            quotes=quotes,
            gaps=gaps,
        )

    def annotations(self) -> AnnotationBatch:
        """Return the annotations as a batch."""
        ints = self.ints.array()
        keys = np.ascontiguousarray(ints[:, [I_ASSET, I_FRAME]])
        closing = keys[ints[:, I_END] % self.window_ms == 0]
        windows = WindowNotes(self.experts, closing, self.spoken.array() + 0.0)
        return AnnotationBatch(keys, self.notes.array(), windows)

    def events(self) -> Columns:
        """Return the events in scoring order."""
        return columns_of(self.scored)
