"""`benchmarks.breeding.settling_years`: a short year runs, and a life goes from shadow to its end."""

import numpy as np

from benchmarks.breeding.settling_years import Shadow, _live, run_year
from lotus.coprocessor.gate import GateState
from lotus.simulation.breeding_world import BreedingWorld


def test_two_weeks_of_a_small_world() -> None:
    year = run_year(BreedingWorld("null", 1, days=40, assets=1, windows=60), 14, 40)
    assert year.charged > 80
    assert year.settled == year.first_settled == 0


def test_one_that_gives_is_settled_and_one_that_stops_giving_is_archived() -> None:
    rng = np.random.default_rng(4)
    sums = np.column_stack([rng.standard_normal(300) + 2.0, np.ones(300), np.full(300, 50.0)])
    alive = Shadow(20, sums, GateState(1.0))
    _live("one", alive, 300)
    assert 30 < alive.settled < 80
    assert alive.archived == -1
    sums[150:, 0] -= 2.5
    dead = Shadow(20, sums, GateState(1.0))
    _live("one", dead, 300)
    assert dead.settled == alive.settled
    assert 150 < dead.archived < 200
