"""Frames of a line in one call: equal to one machine after the other, however lines cut the frames."""

import numpy as np
import pytest

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.windows.builder import WindowBuilder
from lotus.detectors.windows.closed_frames import ClosedFrames
from lotus.experts.fusion import default_experts
from lotus.experts.machine import ExpertMachine
from lotus.manifest import Manifest
from lotus.microtape.frames import spec as c

MANIFEST = Manifest()
DETECTORS = shipped_detectors()


def closed_frames(market, rows: int) -> ClosedFrames:
    """Return one over copies of the first rows of a market, as if one line had closed them all."""
    ints, floats = market.frames.ints[:rows].copy(), market.frames.floats[:rows].copy()
    return ClosedFrames(MANIFEST, 3, DETECTORS, default_experts(), (ints, floats), 0, 2**62)


def taken(closed: ClosedFrames, cuts: list[int]) -> list[tuple[bytes, bytes, bytes]]:
    """Take frames stretch by stretch; return every window with what the experts said at its end."""
    windows = []
    for first, stop in zip([0, *cuts], cuts, strict=False):
        while first < stop:
            first = closed.take(first, stop, True)
            if closed.is_closed:
                windows.append((closed.ints.tobytes(), closed.floats.tobytes(), closed.latest.tobytes()))
    return windows


@pytest.mark.parametrize("most", [1, 7, 400])
def test_equal_to_one_machine_after_the_other(market, most: int) -> None:
    rows = 6_000
    experts, builder = ExpertMachine(3, MANIFEST.kernel.cadence_ms), WindowBuilder(MANIFEST, 3)
    expected, notes = [], []
    for ints, floats in zip(market.frames.ints[:rows], market.frames.floats[:rows], strict=True):
        said = experts.feed(ints, floats)
        notes.append(said[:4].copy())
        if builder.feed(ints, floats, said):
            expected.append((builder.ints.tobytes(), builder.floats.tobytes(), said.tobytes()))
    closed = closed_frames(market, rows)
    steps = np.random.default_rng(most).integers(1, most + 1, rows)
    cuts = [*(int(cut) for cut in np.cumsum(steps) if cut < rows), rows]
    assert taken(closed, cuts) == expected
    assert len(expected) > 200
    assert closed.given_out == rows
    kept = closed.recent(2**60)
    assert kept.annotations.tobytes() == np.array(notes).tobytes()
    assert kept.floats.tobytes() == market.frames.floats[:rows].tobytes()


def test_only_frames_of_the_day_count_and_only_once_they_are_given_out(market) -> None:
    ints, floats = market.frames.ints[:100].copy(), market.frames.floats[:100].copy()
    ends = ints[:, c.I_END]
    start, stop = int(ends[20]), int(ends[60])
    closed = ClosedFrames(MANIFEST, 3, DETECTORS, default_experts(), (ints, floats), start, stop)
    closed.take(0, 30, False)
    assert closed.given_out == 0
    closed.take(30, 100, True)
    assert closed.given_out == int(((ends[30:] > start) & (ends[30:] <= stop)).sum())


def test_the_notes_of_a_frame_are_null_until_it_is_seen(market) -> None:
    closed = closed_frames(market, 100)
    closed.take(0, 1, True)
    assert not closed.ring.is_annotated(0)
    closed.settle()
    assert closed.ring.is_annotated(0)
