"""Lane F: what was paid until a window's step cannot reach it, and an effect of the day cancels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lotus.learning.forward import forward, steps_of


def one_day(n=60):
    rng = np.random.default_rng(0)
    h = rng.uniform(0.05, 0.25, n)
    return h * rng.normal(0.0, 10.0, n), h, np.zeros(n), np.arange(n) // 5, np.zeros(n, dtype=np.int64)


@given(st.integers(0, 10), st.floats(-100, 100), st.booleans())
def test_what_was_paid_until_a_windows_step_cannot_reach_it(step, shock, with_rule):
    f, h, level, steps, day = one_day()
    inside = (np.arange(60) % 3 == 0)[None] if with_rule else np.zeros((0, 60), dtype=bool)
    plain = forward(f, h, level, steps, day, inside)
    struck = forward(np.where(steps <= step, f + shock, f), h, level, steps, day, inside)
    later = steps > step
    assert struck.r[later].tobytes() == plain.r[later].tobytes()
    assert struck.weight.tobytes() == plain.weight.tobytes()


def test_an_effect_of_the_day_cancels_and_the_last_step_counts_nothing():
    f, h, level, steps, day = one_day()
    none = np.zeros((0, 60), dtype=bool)
    plain, moved = (forward(x, h, level, steps, day, none) for x in (f, f + 7.0 * h))
    np.testing.assert_allclose(moved.r, plain.r, atol=1e-6)
    assert not plain.weight[steps == steps.max()].any()
    assert not plain.r[steps == steps.max()].any()
    assert plain.weight[steps < steps.max()].all()
    unknown = forward(f, h, np.full(60, np.nan), steps, day, none)
    assert not unknown.weight.any()


def test_a_session_of_minutes_has_steps_too_and_none_shorter_than_the_horizon():
    end = np.arange(0, 3_600_000, 5_000)
    h = np.full(len(end), 0.1)
    assert steps_of(end, h, 5).max() == 64
    assert steps_of(end, h, 600).max() == 5
    assert steps_of(end, np.zeros(len(end)), 5).tolist() == [0] * len(end)
