"""Sampled tapes reach every quality bit."""

import numpy as np

from lotus.manifest import Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.samples import sample_events
from lotus.microtape.frames.spec import (
    I_QUALITY,
)

MANIFEST = Manifest()
UNIVERSE = MANIFEST.universe


def test_every_quality_bit_occurs() -> None:
    quality = build_frames(sample_events(1, 30_000), MANIFEST, UNIVERSE).ints[:, I_QUALITY]
    for bit in (1, 2, 4, 8, 16, 32, 64):
        share = np.mean((quality & bit) > 0)
        assert 0 < share < 1, bit
