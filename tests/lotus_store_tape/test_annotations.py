"""Annotations of a day come back in the order of its frames, and a frame without one is told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lotus.errors import LakeError
from lotus.experts.annotation_spec import DSI_ANNOTATIONS, N_VALUES
from lotus.experts.machine import AnnotationBatch
from lotus.manifest import Asset
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import I_ASSET, I_FRAME, N_FLOATS, N_INTS
from lotus_store.lake import Lake
from lotus_store.tape.annotations import DSI_WARMUP, read_day_annotations

DAY, BRANCH = "2026-01-05", "b"
UNIVERSE = (Asset("BTC", 5), Asset("PURR/USDC", 0))


def frames_of(keys: list[tuple[int, int]]) -> FrameBatch:
    """Return frames of which asset and number alone are set."""
    ints = np.zeros((len(keys), N_INTS), np.int64)
    ints[:, [I_ASSET, I_FRAME]] = keys
    return FrameBatch(
        UNIVERSE, 200, ints, np.zeros((len(keys), N_FLOATS)), np.zeros((0, 8), np.int64), np.zeros((0, 4), np.int64)
    )


def test_they_come_in_the_order_of_the_frames(tmp_path: Path) -> None:
    lake, keys = Lake(tmp_path), [(0, 3), (1, 3), (0, 4), (1, 5), (1, 4)]
    values = np.arange(len(keys) * N_VALUES, dtype=np.float64).reshape(-1, N_VALUES) % 7
    whole = AnnotationBatch(np.array(keys, np.int64), values)
    before = replace(whole, ints=np.array([(0, 2)], np.int64), values=values[:1])
    for k, asset in enumerate(UNIVERSE):
        lake.write(DSI_ANNOTATIONS, BRANCH, DAY, whole.columns(k), asset.name)
    lake.write(DSI_WARMUP, BRANCH, DAY, before.columns())
    read = read_day_annotations(lake, BRANCH, DAY, frames_of([(0, 2), *keys]))
    assert read.ints.tolist() == [[0, 2], *map(list, keys)]
    assert read.columns()["fired"].tolist() == [*before.columns()["fired"], *whole.columns()["fired"]]
    with pytest.raises(LakeError, match="1 frames of 2026-01-05 have no annotation"):
        read_day_annotations(lake, BRANCH, DAY, frames_of([(0, 3), (0, 9)]))
