"""Annotations from frames: one frame at a time (`ExpertMachine`) and a whole batch (`annotate`), one interpreter.

A frame after a gap, or one that does not follow the frame before it, starts from a blank state. No formula belongs
here: specs say what is computed, the tape machine computes it.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lotus.experts.annotation_spec import (
    A_EVIDENCE,
    A_Z,
    DSI_ANNOTATIONS,
    N_VALUES,
    VALUE_NAMES,
    WINDOW_MS,
    windows_spec,
)
from lotus.experts.calibration import calibrate, confidences, evidence_table
from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.hashing import content_hash, natural_id
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import GAP_BEFORE, I_ASSET, I_END, I_FRAME, I_QUALITY
from lotus.tape_machine.machine import Machine

Columns = dict[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class WindowNotes:
    """What every expert says at the frames that close a window: keys i8[m, 2], z f8[m, experts]."""

    experts: ExpertSet
    ints: Ints
    z: Floats

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.ints)

    @cached_property
    def confidence(self) -> Floats:
        """conf f8[m, experts]."""
        return confidences(self.z, self.experts)

    def columns(self, asset: int | None = None) -> Columns:
        """Return the columns of `dsi_windows` in its types, of one asset or of all."""
        rows = slice(None) if asset is None else self.ints[:, 0] == asset
        names = windows_spec(self.experts.names).names[2:]
        both = np.hstack([self.z, self.confidence])[rows]
        return _keys(self.ints[rows]) | {name: np.ascontiguousarray(both[:, k]) for k, name in enumerate(names)}


def no_windows() -> WindowNotes:
    """Return the notes of no window: detectors read frames only."""
    experts = default_experts()
    return WindowNotes(experts, np.zeros((0, 2), np.int64), np.zeros((0, len(experts.names))))


@dataclass(frozen=True)
class AnnotationBatch:
    """Annotations in the row order of the frames: ints i8[n, 2] (asset, frame_idx), values f8[n, N_VALUES]."""

    ints: Ints
    values: Floats
    windows: WindowNotes = field(default_factory=no_windows)

    def __len__(self) -> int:
        """Return the number of annotated frames."""
        return len(self.ints)

    def of_rows(self, rows: "slice | NDArray[np.bool_]") -> "AnnotationBatch":
        """Return the annotations of some of the frames; a window stays when its closing frame does."""
        kept = self.ints[rows]
        keys, closing = np.sort(_packed(kept)), _packed(self.windows.ints)
        places = np.minimum(np.searchsorted(keys, closing), max(0, len(keys) - 1))
        notes = keys[places] == closing if len(keys) else np.zeros(len(closing), np.bool_)
        windows = WindowNotes(self.windows.experts, self.windows.ints[notes], self.windows.z[notes])
        return AnnotationBatch(kept, self.values[rows], windows)

    def columns(self, asset: int | None = None) -> Columns:
        """Return the columns of `DSI_ANNOTATIONS` in its types, of one asset or of all."""
        rows = slice(None) if asset is None else self.ints[:, 0] == asset
        out, values = _keys(self.ints[rows]), self.values[rows]
        for k, name in enumerate(VALUE_NAMES):
            out[name] = values[:, k].astype(DSI_ANNOTATIONS.numpy_dtype(name))
        return out

    def content_hash(self) -> str:
        """Return the hash of both tables."""
        return natural_id(content_hash(self.columns()), content_hash(self.windows.columns()))


class ExpertMachine:
    """The experts' state of every asset, fed one closed frame at a time."""

    def __init__(self, n_assets: int, cadence_ms: int, experts: ExpertSet | None = None) -> None:
        """Start blank; raises `ConfigError` for a bad set of experts."""
        self.experts = experts or default_experts()
        self._machine = Machine(compile_experts(self.experts, cadence_ms), n_assets)
        self._next = [-1] * n_assets
        self._fitted = bool(self.experts.fusion.evidence)
        self._table = evidence_table(self.experts)

    def feed(self, ints: Ints, floats: Floats) -> Floats:
        """Take one frame's integer and float row; return f8[A_Z + experts], valid until the next call.

        The first N_VALUES are the frame's annotation, then z of every expert.
        """
        asset, frame = int(ints[I_ASSET]), int(ints[I_FRAME])
        reborn = frame != self._next[asset] or bool(ints[I_QUALITY] & GAP_BEFORE)
        self._next[asset] = frame + 1
        values = self._machine.feed(asset, floats, reborn)
        if self._fitted:
            calibrate(values.reshape(1, -1), A_EVIDENCE, self._table.xs, self._table.ys)
        return values

    def going_on(self, other: "ExpertMachine", newborn: Sequence[int] = ()) -> "ExpertMachine":
        """Return one like this that goes on from the state of another; the assets `newborn` start blank."""
        fork = copy(self)
        fork._machine = self._machine.going_on(other._machine, newborn)
        fork._next = [-1 if asset in newborn else frame for asset, frame in enumerate(other._next)]
        return fork

    def state_bytes(self, asset: int) -> bytes:
        """Return the whole state of an asset, for a comparison bit by bit."""
        return self._machine.state_bytes(asset) + self._next[asset].to_bytes(8, signed=True)

    def feed_frames(self, asset: int, ints: Ints, floats: Floats) -> Floats:
        """Take many frames of one asset in order; return f8[n, A_Z + experts], bit-equal to n calls of `feed`."""
        n = len(ints)
        values = np.empty((n, A_Z + len(self.experts.names)))
        self.feed_rows(asset, ints, floats, np.arange(n), values, np.full(n, -1), np.empty((0, 0)))
        return values

    def feed_rows(
        self, asset: int, ints: Ints, floats: Floats, rows: Ints, values: Floats, to: Ints, whole: Floats
    ) -> None:
        """Take the frames `rows` i8[n] of one asset, in order, out of frames of many.

        Of every frame the first columns of what `feed` gives are written to its row of `values`, as many as that has;
        of frame rows[i] all are written to row to[i] of `whole` (evidence as it was before calibration), unless < 0.
        """
        own_rows = ints[rows]
        reborn = rebirths(own_rows, self._next[asset] - 1)
        self._next[asset] = int(own_rows[-1, I_FRAME]) + 1
        self._machine.feed_picked(asset, floats, rows, reborn, values, to, whole)
        if self._fitted:
            own_values = values[rows]
            calibrate(own_values, A_EVIDENCE, self._table.xs, self._table.ys)
            values[rows] = own_values


def rebirths(ints: Ints, before: int = -2) -> NDArray[np.bool_]:
    """Return which frames of one asset, in order, begin a new life; `before` = the frame index before the first."""
    frames = ints[:, I_FRAME]
    follows = np.concatenate([[before], frames[:-1]]) + 1
    return np.asarray((frames != follows) | ((ints[:, I_QUALITY] & GAP_BEFORE) != 0))


class AnnotationStream:
    """Annotations of frames of many assets, fed row by row of an asset or in pieces, from a blank state.

    `machine` is the state after what was fed, `values` f8[n, N_VALUES] has a row for every frame, `spoken`
    f8[m, A_Z + experts] one for every frame that closes a window, and `place` i8[n] says which (-1: none).
    """

    def __init__(self, frames: FrameBatch, experts: ExpertSet | None = None, window_ms: int = WINDOW_MS) -> None:
        """Start blank; nothing is fed."""
        self._frames = frames
        self.machine = ExpertMachine(len(frames.universe), frames.cadence_ms, experts)
        self._closing = frames.ints[:, I_END] % window_ms == 0
        self.values = np.empty((len(frames), N_VALUES))
        self.spoken = np.empty((int(self._closing.sum()), A_Z + len(self.machine.experts.names)))
        self.place: Ints = np.where(self._closing, np.cumsum(self._closing) - 1, -1)

    def feed(self, asset: int, rows: Ints) -> None:
        """Take the next frames of an asset, at these rows i8[k]; every row is to be fed once."""
        if len(rows):
            frames = self._frames
            self.machine.feed_rows(asset, frames.ints, frames.floats, rows, self.values, self.place[rows], self.spoken)

    def batch(self) -> AnnotationBatch:
        """Return the annotations, row by row in the order of the frames."""
        keys = np.ascontiguousarray(self._frames.ints[:, [I_ASSET, I_FRAME]])
        notes = WindowNotes(self.machine.experts, keys[self._closing], self.spoken[:, A_Z:] + 0.0)
        return AnnotationBatch(keys, self.values, notes)


def annotate(frames: FrameBatch, experts: ExpertSet | None = None, window_ms: int = WINDOW_MS) -> AnnotationBatch:
    """Return the annotations of frames that start from a blank state, row by row in the order of the frames."""
    stream = AnnotationStream(frames, experts, window_ms)
    for asset in range(len(frames.universe)):
        stream.feed(asset, np.flatnonzero(frames.ints[:, I_ASSET] == asset))
    return stream.batch()


def _keys(ints: Ints) -> Columns:
    return {"asset": ints[:, 0].astype(np.int16), "frame_idx": np.ascontiguousarray(ints[:, 1])}


def _packed(ints: Ints) -> Ints:
    packed: Ints = (ints[:, 0] << 44) | ints[:, 1]
    return packed
