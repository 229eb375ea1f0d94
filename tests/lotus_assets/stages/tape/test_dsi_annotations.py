"""The look-ahead check of annotations passes what is honest and finds machines that know more than their rows."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from lotus.experts.machine import AnnotationBatch, AnnotationStream
from lotus.manifest import Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import C_MID, GAP_BEFORE, I_ASSET, I_QUALITY
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.tape import dsi_annotations

Rows = NDArray[np.int64]
CTX = cast(StageContext, SimpleNamespace(manifest=Manifest()))


class KnowsTheDay(AnnotationStream):
    """The mean price of the day is taken from its evidence."""

    def __init__(self, frames: FrameBatch, *given: Any, **named: Any) -> None:
        super().__init__(frames, *given, **named)
        self.mean = np.nanmean(frames.floats[:, C_MID]) if len(frames) else 0.0

    def feed(self, asset: int, rows: Rows) -> None:
        super().feed(asset, rows)
        self.values[rows, 1] -= self.mean * (asset == 1)


class AfterGap(AnnotationStream):
    """The frame after the one that ends a gap knows the price of the next."""

    def feed(self, asset: int, rows: Rows) -> None:
        super().feed(asset, rows)
        after = 1 + np.flatnonzero(self._frames.ints[rows[:-2], I_QUALITY] & GAP_BEFORE)
        self.values[rows[after], 1] += self._frames.floats[rows[after + 1], C_MID]


class Finishes(AnnotationStream):
    """The day is put right when it is over."""

    def batch(self) -> AnnotationBatch:
        whole = super().batch()
        whole.windows.z[:] -= np.nanmean(whole.windows.z)
        return whole


@pytest.fixture
def frames() -> FrameBatch:
    made = build_frames(sample_events(4, 60_000), CTX.manifest, CTX.manifest.universe)
    assert (made.ints[made.ints[:, I_ASSET] == 1, I_QUALITY] & GAP_BEFORE).any()
    return made


def test_an_honest_machine_passes_and_every_asset_is_seen(frames: FrameBatch) -> None:
    _, found = dsi_annotations._annotated(CTX, "2025-01-01", frames)
    assert found.passed, found.text
    assert int(found.numbers["made_again"]) >= len(frames.universe)


@pytest.mark.parametrize("leak", [KnowsTheDay, AfterGap, Finishes])
def test_a_machine_that_knows_what_comes_is_found(
    frames: FrameBatch, monkeypatch: pytest.MonkeyPatch, leak: type[AnnotationStream]
) -> None:
    monkeypatch.setattr(dsi_annotations, "AnnotationStream", leak)
    _, found = dsi_annotations._annotated(CTX, "2025-01-01", frames)
    assert not found.passed
