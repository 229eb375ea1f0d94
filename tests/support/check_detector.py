"""`check_detector`: the laws that every detector must keep, on any frames (the conformance suite of the detectors).

Range, nulls say nothing, no look-ahead, live equals batch, rebirth after a gap, assets apart, bounded memory, and the
mirror: in a market turned upside down the detector must say the opposite. A failed law raises; nothing is returned.
"""

import dataclasses
from typing import Final

import numpy as np
from check_expert import mirrored
from numpy.typing import NDArray

from lotus.detectors.spec import DetectorSpec
from lotus.detectors.spec_compile import compile_detectors
from lotus.detectors.windows.builder import WindowBatch, WindowBuilder, build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL, W_ASSET
from lotus.errors import LookAheadError, SchemaError
from lotus.experts.annotation_spec import A_EVIDENCE
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_BASIS, C_FUNDING, I_ASSET, I_FRAME
from lotus.tape_machine.graph import MAX_STATE_BYTES

Values = NDArray[np.float64]

_MIRROR_SHARE: Final[float] = 0.97  # returns about another price level decide a few windows at a threshold otherwise
_CUTS: Final[int] = 5


def check_detector(spec: DetectorSpec, frames: FrameBatch, annotations: AnnotationBatch, manifest: Manifest) -> None:
    """Raise `SchemaError` or `LookAheadError` naming the first law that the detector breaks on these frames.

    `annotations` stand row by row beside the frames; the mirror needs a detector that speaks on them to say anything.
    """
    law = _Law(spec, frames, annotations, manifest)
    law.range_and_memory()
    law.nulls()
    law.truncation()
    law.live()
    law.rebirth()
    law.isolation()
    law.mirror()


class _Law:
    """One detector on one stretch."""

    def __init__(
        self, spec: DetectorSpec, frames: FrameBatch, annotations: AnnotationBatch, manifest: Manifest
    ) -> None:
        self._spec, self._frames, self._annotations, self._manifest = spec, frames, annotations, manifest
        self._whole = self._said(frames, annotations)

    def range_and_memory(self) -> None:
        s, uncert = self._whole.floats[:, F_SIGNAL:].T
        self._require(bool(np.all(np.abs(s) <= 1.0)), "s must be in [-1, 1]")
        self._require(bool(np.all((uncert >= 0.0) & (uncert <= 1.0))), "det_uncert must be in [0, 1]")
        compiled = compile_detectors((self._spec,), self._manifest)
        self._require(compiled.state_bytes <= 2 * MAX_STATE_BYTES, "bounded state")

    def nulls(self) -> None:
        empty = dataclasses.replace(self._frames, floats=np.full_like(self._frames.floats, np.nan))
        said = self._said(empty, self._annotations)
        self._require(not said.floats[:, F_SIGNAL].any(), "null frames give s = 0")

    def truncation(self) -> None:
        for cut in np.linspace(len(self._frames) // 3, len(self._frames) - 1, _CUTS).astype(int):
            part = self._said(*self._rows(np.arange(len(self._frames)) < cut))
            if part.floats.tobytes() != self._whole.floats[: len(part)].tobytes():
                raise LookAheadError(
                    f"detector {self._spec.detector_id} on {cut} frames differs", "the same first rows"
                )

    def live(self) -> None:
        builder, said = self._builder(), []
        for ints, floats, note in zip(self._frames.ints, self._frames.floats, self._annotations.values, strict=True):
            if builder.feed(ints, floats, note):
                said.append(builder.floats.copy())
        self._require(np.array(said).tobytes() == self._whole.floats.tobytes(), "live equals batch")

    def rebirth(self) -> None:
        """After frames are lost the windows are those of a detector that knows only what came after."""
        rows = self._frames.ints
        mine = np.flatnonzero(rows[:, I_ASSET] == rows[0, I_ASSET])
        lost = rows[mine[len(mine) // 2], I_FRAME]
        hole = (rows[:, I_ASSET] == rows[0, I_ASSET]) & (rows[:, I_FRAME] >= lost) & (rows[:, I_FRAME] < lost + 3)
        after = (rows[:, I_ASSET] == rows[0, I_ASSET]) & (rows[:, I_FRAME] >= lost + 3)
        torn, fresh = self._said(*self._rows(~hole)), self._said(*self._rows(after))
        self._require(_of(torn, rows[0, I_ASSET])[-len(fresh) :].tobytes() == fresh.floats.tobytes(), "rebirth")

    def isolation(self) -> None:
        for asset in range(len(self._frames.universe)):
            alone = self._said(*self._rows(self._frames.ints[:, I_ASSET] == asset))
            self._require(alone.floats.tobytes() == _of(self._whole, asset).tobytes(), "no asset hears another")

    def mirror(self) -> None:
        values = self._annotations.values.copy()
        values[:, A_EVIDENCE] = 1.0 - values[:, A_EVIDENCE]
        frames = mirrored(self._frames)
        frames.floats[:, [C_FUNDING, C_BASIS]] = -self._frames.floats[:, [C_FUNDING, C_BASIS]]
        other = self._said(frames, dataclasses.replace(self._annotations, values=values))
        s, turned = self._whole.floats[:, F_SIGNAL], other.floats[:, F_SIGNAL]
        same = np.abs(s + turned) < 0.05
        self._require(bool(np.mean(same) >= _MIRROR_SHARE), "upside down it says the opposite")
        loud = (s != 0.0) & (turned != 0.0)
        self._require(bool(np.all(np.sign(s[loud]) == -np.sign(turned[loud]))), "upside down it says the opposite")

    def _rows(self, keep: NDArray[np.bool_]) -> tuple[FrameBatch, AnnotationBatch]:
        f, a = self._frames, self._annotations
        return (
            dataclasses.replace(f, ints=f.ints[keep], floats=f.floats[keep]),
            dataclasses.replace(a, ints=a.ints[keep], values=a.values[keep]),
        )

    def _said(self, frames: FrameBatch, annotations: AnnotationBatch) -> WindowBatch:
        return build_windows(frames, annotations, self._manifest, (self._spec,))

    def _builder(self) -> WindowBuilder:
        return WindowBuilder(self._manifest, len(self._frames.universe), (self._spec,))

    def _require(self, held: bool, law: str) -> None:
        if not held:
            raise SchemaError(f"detector {self._spec.detector_id} breaks a law", law)


def _of(windows: WindowBatch, asset: int) -> Values:
    rows: Values = windows.floats[windows.ints[:, W_ASSET] == asset]
    return rows
