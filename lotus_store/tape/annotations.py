"""What experts said of a day's frames, as the lake has it: beside the frames of the day and of its warm-up.

Which experts they were is the branch's affair: those as shipped write to the branch of the tape, a learned set to its
own. Nothing is computed here.
"""

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LakeError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS, N_VALUES, VALUE_NAMES
from lotus.experts.machine import AnnotationBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import I_ASSET, I_FRAME
from lotus_store.columns import Columns, concatenated
from lotus_store.lake import Lake

DSI_WARMUP: Final = replace(DSI_ANNOTATIONS, name="dsi_warmup")
Ints = NDArray[np.int64]


def read_day_annotations(lake: Lake, branch: str, day: str, frames: FrameBatch) -> AnnotationBatch:
    """Return the annotations of `frames` (day and warm-up) in their row order, without those of windows.

    Raises `LakeError` when a frame has none.
    """
    table = day_and_warmup(lake, branch, day, frames, DSI_ANNOTATIONS.name, DSI_WARMUP.name)
    ints = keys_of(table)
    values = np.column_stack([table[name].astype(np.float64) for name in VALUE_NAMES]).reshape(-1, N_VALUES)
    rows = rows_of(packed(ints), packed(frames.ints[:, [I_ASSET, I_FRAME]]))
    if len(rows) and (rows < 0).any():
        raise LakeError(f"{int((rows < 0).sum())} frames of {day} have no annotation", "one row each", "an older run")
    return AnnotationBatch(np.ascontiguousarray(ints[rows]), np.ascontiguousarray(values[rows]))


def day_and_warmup(lake: Lake, branch: str, day: str, frames: FrameBatch, of_day: str, warmup: str) -> Columns:
    """Return a table of a day that is split by symbol, and that of its warm-up after it."""
    tables = [lake.read(of_day, branch, day, asset.name) for asset in frames.universe]
    return concatenated([*tables, lake.read(warmup, branch, day)])


def keys_of(table: Columns) -> Ints:
    """Return asset and frame number of each row, i8 [n, 2]."""
    return np.column_stack([table["asset"].astype(np.int64), table["frame_idx"].astype(np.int64)])


def packed(keys: Ints) -> Ints:
    """Return one number, i8 [n], for asset and frame number of each row."""
    return (keys[:, 0] << 44) | keys[:, 1]


def rows_of(keys: Ints, wanted: Ints) -> Ints:
    """Return the row of each wanted key, -1 where there is none."""
    order = np.argsort(keys, kind="stable")
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    places = np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)
    return np.where(keys[order][places] == wanted, order[places], -1)
