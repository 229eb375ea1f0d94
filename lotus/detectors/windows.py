"""Windows from frames: the live builder (frame by frame) and the batch, both on `window_step`.

Rows stand in the order of the frames that closed them: by close_seq, then asset. No scoring and no files here; the
layout of a row is `window_spec`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.registry import DetectorSpec, family_codes, param_table, shipped_detectors
from lotus.detectors.window_spec import N_INTS, n_floats
from lotus.detectors.window_state import new_window_state, window_params
from lotus.detectors.window_step import run_windows, window_step
from lotus.errors import SchemaError
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Manifest
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_spec import I_END


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """Windows of all assets: ints i8[n, N_INTS], floats f8[n, n_floats(D)]; `window_spec` names the columns."""

    detectors: tuple[DetectorSpec, ...]
    window_ms: int
    ints: NDArray[np.int64]
    floats: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.ints)


class WindowBuilder:
    """The window state of every asset, fed one frame at a time; after a True `feed` read `ints` and `floats`."""

    def __init__(self, manifest: Manifest, n_assets: int, detectors: Sequence[DetectorSpec] | None = None) -> None:
        """Start blank with the shipped detectors unless others are given."""
        self.detectors = tuple(shipped_detectors() if detectors is None else detectors)
        self._params = window_params(manifest)
        self._window_ms = manifest.kernel.window_ms
        self._families = family_codes(self.detectors)
        self._detector_params = param_table(self.detectors, manifest)
        self._blank = new_window_state(1, manifest)
        self._state = new_window_state(n_assets, manifest)
        self.ints = np.zeros(N_INTS, np.int64)
        self.floats = np.zeros(n_floats(len(self.detectors)), np.float64)

    def feed(self, ints: NDArray[np.int64], floats: NDArray[np.float64], annotation: NDArray[np.float64]) -> bool:
        """Take one frame row and its annotation row (f8[N_VALUES]); return whether it closed a whole window."""
        return window_step(
            self._state, self._blank, self._params, self._families, self._detector_params,
            ints, floats, annotation, self.ints, self.floats,
        )  # fmt: skip

    def feed_all(
        self, ints: NDArray[np.int64], floats: NDArray[np.float64], annotations: NDArray[np.float64]
    ) -> WindowBatch:
        """Take many frame rows in order and return the windows they closed."""
        ends = int(np.count_nonzero(ints[:, I_END] % self._window_ms == 0))
        out_ints = np.zeros((ends + 1, N_INTS), np.int64)
        out_floats = np.zeros((ends + 1, n_floats(len(self.detectors))), np.float64)
        n = run_windows(
            self._state, self._blank, self._params, self._families, self._detector_params,
            ints, floats, annotations, out_ints, out_floats,
        )  # fmt: skip
        return WindowBatch(self.detectors, self._window_ms, out_ints[:n].copy(), out_floats[:n].copy())


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
