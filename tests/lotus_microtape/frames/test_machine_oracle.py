"""Every column of the frames against the slow second implementation, on random, mutilated and recorded tape."""

from dataclasses import replace

import numpy as np
import pytest
from frame_tapes import TAPES, expected, tape

from lotus.manifest import KernelDefaults, Manifest
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.frames.spec import FLOAT_COLUMNS

EXACT = ("frame_idx", "end_ms", "quality", "mid2")


@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("cadence_ms", [200, 1_000])
def test_frames_agree_with_the_oracle(name: str, cadence_ms: int) -> None:
    batch, universe = tape(name)
    manifest = replace(Manifest(), kernel=KernelDefaults(cadence_ms=cadence_ms))
    frames = build_frames(batch, manifest, universe)
    for index in range(len(universe)):
        mine, slow = frames.columns(index), expected(name, index, cadence_ms)
        for column in EXACT:
            assert np.array_equal(mine[column], slow[column]), column
        for spec in FLOAT_COLUMNS:
            theirs = slow[spec.name].to_numpy(float)
            assert np.array_equal(np.isnan(mine[spec.name]), np.isnan(theirs)), spec.name
            np.testing.assert_allclose(mine[spec.name], theirs, rtol=1e-6, atol=1e-7, err_msg=spec.name)
