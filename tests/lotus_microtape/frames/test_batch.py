"""Batches of frames: read back the same, empty for an empty tape."""

import numpy as np

from lotus.manifest import Manifest
from lotus.microtape.frames.batch import frames_from_columns
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import (
    MICROTAPE_FRAMES,
)

MANIFEST = Manifest()
UNIVERSE = MANIFEST.universe


def test_tables_read_back_give_the_same_frames() -> None:
    frames = build_frames(sample_events(2, 5_000), MANIFEST, UNIVERSE)
    back = frames_from_columns([frames.columns(a) for a in (2, 0, 1)], UNIVERSE, 200)
    assert np.array_equal(back.ints, frames.ints)
    assert back.floats.tobytes() == frames.floats.tobytes()


def test_an_empty_tape_gives_empty_tables() -> None:
    frames = build_frames(sample_events(0, 0), MANIFEST, UNIVERSE)
    assert len(frames) == len(frames.quotes) == len(frames.gaps) == 0
    assert len(frames.columns()) == len(MICROTAPE_FRAMES.columns)
