"""Worlds of the breeder: the same seed, the same days; the planted pattern pays and nothing else does."""

import numpy as np
import pytest

from lotus.coprocessor.scoring import scores_of
from lotus.simulation.breeding_world import ORACLES, BreedingWorld, panel_of_days, world_days


@pytest.mark.parametrize("shape", list(ORACLES))
def test_the_oracle_pays_where_it_is_planted_and_nowhere_else(shape: str) -> None:
    planted = BreedingWorld("plant", 3, shape, days=12, assets=2, windows=120)
    nothing = BreedingWorld("null", 3, shape, days=12, assets=2, windows=120)
    pays, none = (scores_of([planted.oracle], panel_of_days(w, world_days(w)))[0].t for w in (planted, nothing))
    assert pays > 2.5
    assert abs(none) < 2.5


def test_every_oracle_is_a_candidate_and_a_world_repeats() -> None:
    assert len({BreedingWorld("plant", 1, s, k).oracle.canonical for s in ORACLES for k in range(4)}) == 12
    world = BreedingWorld("confounded", 5, days=2, assets=1, windows=50)
    for one, other in zip(world_days(world), world_days(world), strict=True):
        assert np.array_equal(one.table, other.table, equal_nan=True)
        assert np.array_equal(one.moves, other.moves)
