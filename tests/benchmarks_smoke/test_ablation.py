"""Lessons on and off: both arms expect the same alerts, nothing differs without a patch, and a true lesson pays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.lessons import ablation
from benchmarks.lessons.ablation import Day, interval, totals
from benchmarks.lessons.equal_alerts import equal_alerts, probability
from benchmarks.lessons.evidence import run


@given(st.lists(st.floats(0.1, 0.9), min_size=2, max_size=50), st.floats(-0.5, 0.5))
def test_one_shift_brings_back_the_alerts(p: list[float], tilt: float) -> None:
    before = np.array(p)
    u = np.log(before / (1.0 - before))
    patched = np.arange(len(p)) % 2 == 0
    after = equal_alerts(probability(u + tilt * patched), float(before.sum()))
    assert after.sum() == pytest.approx(before.sum(), abs=1e-6)
    moved = np.log(after / (1.0 - after)) - u
    np.testing.assert_allclose(moved - tilt * patched, moved[1], atol=1e-6)  # the patch, and one shift for all


def test_nothing_differs_without_a_patch() -> None:
    study = ablation.STUDIES["ablation-null"].shrunk()
    row = study.measure(study.setting, 1)
    assert row["patched_days"] == 0
    assert (row["on_bps"], row["on_alerts"]) == (row["off_bps"], row["off_alerts"])
    assert row["gain_bps"] == row["expected_bps"] == 0.0


def test_true_lessons_pay() -> None:
    study = ablation.STUDIES["ablation-half"].shrunk()
    rows = [study.measure(study.setting, seed) for seed in (1, 2)]
    assert all(float(row["expected_bps"]) > 0.0 for row in rows)
    assert all(abs(int(row["on_alerts"]) - int(row["off_alerts"])) < 0.02 * int(row["off_alerts"]) for row in rows)


def test_days_are_the_blocks_of_a_world() -> None:
    days = [Day((0.0, 1), (x, 1), (x, 1), x) for x in (1.0, 3.0)]
    told = totals(days)
    assert told["gain_bps"] == 4.0
    assert told["gain_day_block_bps"] == pytest.approx(2.0)  # sd of (1, 3) is sqrt 2, times sqrt 2 days
    assert told["loses"] == 0
    assert totals([replace(day, on=(-day.on[0] - 4.0, 1)) for day in days])["loses"] == 1


def test_the_interval_is_that_of_the_mean_over_worlds() -> None:
    mean, low, high = interval(np.array([1.0, 2.0, 3.0]))
    assert (mean, round(low, 4), round(high, 4)) == (2.0, -0.4841, 4.4841)


def test_the_table_tells_every_study_with_rows(tmp_path: Path) -> None:
    study = ablation.STUDIES["ablation-null"]
    assert ablation.lines(tmp_path) == []
    fast = replace(study, measure=lambda setting, seed: {**_row(seed)})
    run(fast, [1, 2], folder=tmp_path)
    text = "\n".join(ablation.lines(tmp_path))
    assert "`ablation-null` | 2 (0)" in text


def _row(seed: int) -> dict[str, float | int | str]:
    days = [Day((10.0 * seed, 5), (10.0 * seed, 5), (10.0 * seed, 5), 0.0) for _ in range(3)]
    return {"days": 3, "accepted": 0, "patched_days": 0} | totals(days)
