"""Series: whole outcomes of published windows, averaged by step; nothing is counted twice."""

from dataclasses import replace

import numpy as np
from planted_windows import noise, planted

from lotus.atlas.series import STEP_MS, execution_quality, paper_quality, stepped, together


def test_a_step_is_the_mean_of_the_outcomes_that_lie_inside_it() -> None:
    windows = planted(1, noise(1, 1), noise(2, 1))
    names, means = stepped(windows, paper_quality(windows))
    assert (np.diff(names) > 0).all()
    for name, mean in zip(names, means, strict=True):
        inside = (windows.end_ms >= name * STEP_MS) & (windows.end_ms + windows.horizon_ms <= (name + 1) * STEP_MS)
        assert np.isclose(mean, windows.paper[inside & windows.published].mean(), rtol=1e-12)


def test_outcomes_across_a_border_and_windows_held_out_do_not_count() -> None:
    windows = planted(1, noise(1, 1), noise(2, 1))
    late = replace(windows, horizon_ms=np.full_like(windows.horizon_ms, STEP_MS))
    assert len(stepped(late, paper_quality(late))[0]) == 0
    nobody = replace(windows, published=np.zeros_like(windows.published))
    for quality in (paper_quality, execution_quality):
        assert len(stepped(nobody, quality(nobody))[0]) == 0
    unexecuted = replace(windows, executed=np.full_like(windows.executed, np.nan))
    assert len(stepped(unexecuted, execution_quality(unexecuted))[0]) == 0
    assert len(stepped(unexecuted, paper_quality(unexecuted))[0]) > 50


def test_two_series_meet_on_the_steps_of_both() -> None:
    one = np.array([1, 2, 4, 7]), np.array([0.1, 0.2, 0.4, 0.7])
    two = np.array([2, 3, 7]), np.array([-2.0, -3.0, -7.0])
    a, b = together(one, two)
    assert (a.tolist(), b.tolist()) == ([0.2, 0.7], [-2.0, -7.0])
