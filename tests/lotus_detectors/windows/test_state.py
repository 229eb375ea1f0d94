"""Parameters of the window kernels follow from the parameters, and windows that frames do not fill are refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.detectors.windows.state import POWER_HALF_LIFE_MS, WINDOW_RING, new_window_state, window_params
from lotus.errors import ConfigError
from lotus.manifest import Manifest


def manifest(window_ms: int, cadence_ms: int) -> Manifest:
    base = Manifest()
    return replace(base, kernel=replace(base.kernel, window_ms=window_ms, cadence_ms=cadence_ms))


def test_a_window_of_five_seconds_has_25_frames() -> None:
    (params,) = window_params(manifest(5_000, 200))
    assert (params["frames_per_window"], params["trend_windows"], params["flow_windows"]) == (25, 60, 12)
    assert (params["frames_per_minute"], params["windows_per_minute"]) == (300.0, 12.0)


@pytest.mark.parametrize("window_ms", [2_500, 5_000, 10_000, 30_000])
def test_what_a_moving_average_forgets_in_its_half_life_is_half(window_ms: int) -> None:
    (params,) = window_params(manifest(window_ms, 100))
    kept = (1.0 - params["power_gain"]) ** (POWER_HALF_LIFE_MS / window_ms)
    assert kept == pytest.approx(0.5, rel=1e-9)


@settings(deadline=None)
@given(st.integers(20, 330).map(lambda n: 100 * n), st.sampled_from([40, 50, 100, 125, 200, 1_000, 1_250]))
def test_a_window_is_taken_exactly_when_whole_frames_fill_it_and_it_fills_a_minute(window: int, cadence: int) -> None:
    fits = window % cadence == 0 and 60_000 % window == 0 and 2_500 <= window <= 30_000 and 50 <= cadence <= 1_000
    if fits:
        (params,) = window_params(manifest(window, cadence))
        assert params["frames_per_window"] * cadence == window
        assert params["trend_windows"] < WINDOW_RING
    else:
        with pytest.raises(ConfigError, match=rf"window_ms = {window}, cadence_ms = {cadence}; expected: 2500-30000"):
            window_params(manifest(window, cadence))


def test_a_blank_state_is_all_zeros() -> None:
    state = new_window_state(3)
    assert state.shape == (3,)
    assert state["w_mid2"].shape == (3, WINDOW_RING)
    assert np.frombuffer(state.tobytes(), np.uint8).sum() == 0
