"""The state of the frame machine has one size, whatever has passed."""

from typing import Any

import numpy as np
import pytest
from counted_lines import PIECES, SECOND, UNIVERSE, after

from lotus.microtape.frames.hist import RESCALE
from lotus.microtape.frames.state import new_state


@pytest.fixture(scope="module", params=["periodic", "falling"])
def states(request: pytest.FixtureRequest) -> tuple[str, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    return request.param, after(1, request.param), after(PIECES, request.param)


def test_the_state_has_one_size_and_its_weights_stay_bounded(states: tuple[str, Any, Any]) -> None:
    _, early, late = states
    assert late.nbytes == early.nbytes == new_state(UNIVERSE).nbytes
    assert 1 <= early["hist_weight"][0] < RESCALE
    assert 1 <= late["hist_weight"][0] < RESCALE
    for name in ("volume_mass", "burst_mass", "range_mass"):
        assert np.all(np.isfinite(late[name]))
        assert late[name].sum() < 4 * 2_000 * RESCALE
    for name in ("high_queue", "fall_queue"):
        assert 1 <= late[name]["size"][0] <= 60_000 // SECOND
