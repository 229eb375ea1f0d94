"""Annotations from frames: one frame at a time (`ExpertMachine`) and a whole batch (`annotate`), same compiled step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS, N_VALUES, VALUE_NAMES
from lotus.experts.spec import ExpertSet, compile_experts, default_experts
from lotus.experts.state import new_state
from lotus.experts.step import run, step
from lotus.hashing import content_hash
from lotus.microtape.frame_batch import FrameBatch
from lotus.microtape.frame_spec import I_ASSET, I_FRAME

Columns = dict[str, NDArray[np.generic]]
Parts = Sequence[Mapping[str, NDArray[np.generic]]]


@dataclass(frozen=True, slots=True)
class AnnotationBatch:
    """Annotations in the row order of the frames: ints i8[n, 2] (asset, frame_idx), values f8[n, N_VALUES]."""

    ints: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of annotated frames."""
        return len(self.ints)

    def columns(self, asset: int | None = None) -> Columns:
        """Return the columns of `DSI_ANNOTATIONS` in its types, of one asset or of all."""
        rows = slice(None) if asset is None else self.ints[:, 0] == asset
        ints, values = self.ints[rows], self.values[rows]
        out: Columns = {"asset": ints[:, 0].astype(np.int16), "frame_idx": np.ascontiguousarray(ints[:, 1])}
        for k, name in enumerate(VALUE_NAMES):
            out[name] = values[:, k].astype(DSI_ANNOTATIONS.numpy_dtype(name))
        return out

    def content_hash(self) -> str:
        """Return the hash of all columns."""
        return content_hash(self.columns())


class ExpertMachine:
    """The experts' state of every asset, fed one closed frame at a time."""

    def __init__(self, n_assets: int, cadence_ms: int, experts: ExpertSet | None = None) -> None:
        """Start blank; raises `ConfigError` for a bad set of experts."""
        self._params = compile_experts(experts or default_experts(), cadence_ms)
        self._blank, self._state = new_state(n_assets), new_state(n_assets)
        self._out = np.zeros(N_VALUES, np.float64)

    def feed(self, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Take one frame's integer and float row; return its annotation row f8[N_VALUES], valid until the next call."""
        step(self._state, self._blank, self._params, ints, floats, self._out)
        return self._out


def annotate(frames: FrameBatch, experts: ExpertSet | None = None) -> AnnotationBatch:
    """Return the annotations of frames that start from a blank state, row by row in the order of the frames."""
    n_assets = len(frames.universe)
    params = compile_experts(experts or default_experts(), frames.cadence_ms)
    values = np.empty((len(frames), N_VALUES), np.float64)
    run(new_state(n_assets), new_state(n_assets), params, frames.ints, frames.floats, values)
    return AnnotationBatch(np.ascontiguousarray(frames.ints[:, [I_ASSET, I_FRAME]]), values)


def annotations_from_columns(parts: Parts, frames: FrameBatch) -> AnnotationBatch:
    """Return annotations read back from tables (one or several assets), in the row order of `frames`.

    Raises `SchemaError` when a column is missing or the tables and the frames do not hold the same keys.
    """
    missing = [name for part in parts for name in DSI_ANNOTATIONS.names if name not in part]
    if missing:
        raise SchemaError(f"annotation table without {missing[0]}", "every column of dsi_annotations", "an older file")
    keys = np.concatenate(
        [np.column_stack([part[n].astype(np.int64) for n in ("asset", "frame_idx")]) for part in parts]
    )
    values = np.concatenate([np.column_stack([part[n].astype(np.float64) for n in VALUE_NAMES]) for part in parts])
    wanted = frames.ints[:, [I_ASSET, I_FRAME]]
    mine, theirs = np.lexsort(keys.T[::-1]), np.lexsort(wanted.T[::-1])
    if not np.array_equal(keys[mine], wanted[theirs]):
        raise SchemaError(f"{len(keys)} annotations of {len(wanted)} frames", "the same keys", "tables of two runs")
    out = np.empty_like(values)
    out[theirs] = values[mine]
    return AnnotationBatch(np.ascontiguousarray(wanted), out)
