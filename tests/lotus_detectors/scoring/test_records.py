"""Keys of conditions do not collide and angles are exact."""

import math

import numpy as np
import pytest

from lotus.detectors.scoring.records import unit_vector
from lotus.detectors.scoring.step import cond_key


def test_condition_keys_do_not_collide_and_angles_are_exact() -> None:
    rng = np.random.default_rng(3)
    bins = np.unique(rng.choice([0, 1, 2, 3, 4, 255], (20_000, 12)).astype(np.uint8), axis=0)
    assert len({int(cond_key(row)) for row in bins}) == len(bins)
    for degrees in range(0, 720, 7):
        cos, sin = unit_vector(degrees)
        turned = math.radians(degrees % 360)
        assert (cos, sin) == pytest.approx((math.cos(turned), math.sin(turned)), abs=1e-14)
