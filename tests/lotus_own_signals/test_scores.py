"""Scores by maturity day: the formulas, what stands in for a missing payoff, and that no day looks at a later one."""

import numpy as np
import pytest
from own_world import DAY_US, START_US, file_rows, own_world, rows_of, table

from lotus.learning.basis import placed
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.scores import ASSOCIATION, DETERMINISTIC, OW, OWP, PAPER, scored
from lotus.own_signals.table import table_of


@pytest.fixture
def world():
    """Return six small days of two detectors."""
    return own_world(seed=4, days=6, n=60, detectors=2)


def equal(one, two):
    assert one.keys() == two.keys()
    for name, values in one.items():
        if name != "event_id":
            np.testing.assert_array_equal(values, two[name], err_msg=name)


def of_day(world, low, high):
    day = (world["ts"] - START_US) // DAY_US
    return rows_of(world, (day >= low) & (day < high))


@pytest.mark.parametrize("paper", [True, False])
def test_removing_later_days_leaves_every_score_of_earlier_ones(world, paper):
    if not paper:
        world["paper_payoff_bps"][:] = np.nan
    whole, short = scored(table(world), OwnConfig()), scored(table(of_day(world, 0, 4)), OwnConfig())
    days = sorted(short.scores)[:4]
    assert days == sorted(whole.scores)[:4]
    for day in days:
        equal(whole.scores[day], short.scores[day])


def test_altering_later_payoffs_leaves_every_score_of_earlier_ones(world):
    world["paper_payoff_bps"][:] = np.nan
    before = scored(table(world), OwnConfig())
    late = world["ts"] >= START_US + 4 * DAY_US
    altered = {**world, "payoff_bps": np.where(late, 5.0 * world["payoff_bps"], world["payoff_bps"])}
    after = scored(table(altered), OwnConfig())
    for day in sorted(before.scores)[:4]:
        equal(before.scores[day], after.scores[day])
    assert (before.scores["2025-01-11"]["f"] != after.scores["2025-01-11"]["f"]).any()


def test_order_and_split_into_files_change_nothing(world):
    rng = np.random.default_rng(0)
    order = rng.permutation(len(world["ts"]))
    shuffled = {name: values[order] for name, values in world.items()}
    part = rng.integers(0, 3, len(order))
    pieces = [file_rows(rows_of(shuffled, part == k), f"{k}.csv") for k in (2, 0, 1)]
    one, two = scored(table(world), OwnConfig()), scored(table_of(pieces), OwnConfig())
    assert one.vocabulary == two.vocabulary
    assert one.detectors == two.detectors
    for day in one.scores:
        equal(one.scores[day], two.scores[day])


def test_owp_is_its_formula_and_cost_comes_off_both_payoffs(world):
    columns = scored(table(world), OwnConfig(cost_bps=2.0)).scores["2025-01-08"]
    p, a = columns["p"], columns["published"]
    paper, paid = columns["payoff_p"], columns["payoff_y"]
    expected = p * (1 - p) * paper + np.where(a, (1 - p) * (paid - paper), 0.0)
    np.testing.assert_allclose(columns["f"], expected, atol=1e-12)
    free = scored(table(world), OwnConfig()).scores["2025-01-08"]
    np.testing.assert_allclose(columns["payoff_p"], free["payoff_p"] - 2.0)
    np.testing.assert_allclose(columns["payoff_y"][a], free["payoff_y"][a] - 2.0)


def test_a_day_whose_paper_is_null_anywhere_uses_the_baseline_of_earlier_days(world):
    whole = table(world)
    world["paper_payoff_bps"] = np.where(
        (world["ts"] > START_US + 2 * DAY_US) & ~world["published"], np.nan, world["paper_payoff_bps"]
    )
    found = scored(table(world), OwnConfig())
    assert {d.variant for d in found.detectors} == {OW}
    equal(found.scores["2025-01-07"], scored(whole, OwnConfig()).scores["2025-01-07"])
    columns = found.scores["2025-01-09"]
    mine = columns["detector_id"] == "d0"
    past = [found.scores[d] for d in ("2025-01-06", "2025-01-07", "2025-01-08")]
    gram, moment = 50 * 0.075 * np.eye(6), np.zeros(6)
    knots = found.scores.pasts["2025-01-09", "d0"].knots
    for day in past:
        taken = (day["detector_id"] == "d0") & day["published"]
        cells = -16.0 + (np.floor((day["u0"][taken] + 16.0) * 16.0) + 0.5) / 16.0
        basis, weight = placed(cells, knots).dense(), 1 - day["p"][taken]
        gram += (basis * weight[:, None]).T @ basis
        moment += basis.T @ (weight * day["payoff_y"][taken])
    control = placed(columns["u0"][mine], knots).dense() @ np.linalg.solve(gram, moment)
    p, a = columns["p"][mine], columns["published"][mine]
    expected = p * (1 - p) * control + np.where(a, (1 - p) * (columns["payoff_y"][mine] - control), 0.0)
    np.testing.assert_allclose(columns["f"][mine], expected, atol=1e-6)


def test_a_window_counts_when_its_longest_horizon_is_known(world):
    late = {**world, "horizon_s": np.full(len(world["ts"]), 40_000)}
    both = {name: np.concatenate([world[name], late[name]]) for name in world}
    found = scored(table(both), OwnConfig(decision_horizon_s=300))
    for day, columns in found.scores.items():
        maturity = columns["window_end_ms"] + 40_000_000
        assert {str(np.datetime64(int(m), "ms").astype("datetime64[D]")) for m in maturity} == {day}
        np.testing.assert_array_equal(columns["block"], maturity % 86_400_000 // 21_600_000)
        assert set(columns["horizon_s"]) == {300}


def test_only_the_last_days_are_kept(world):
    assert len(scored(table(world), OwnConfig(last_days=3)).days) == 3


def variant_of(world):
    found = scored(table(world), OwnConfig())
    return found, found.detectors[0].variant


def test_the_variant_follows_from_what_is_there(world):
    assert variant_of(world)[1] == OWP
    unpaid = {**world, "payoff_bps": np.full(len(world["ts"]), np.nan)}
    found, variant = variant_of(unpaid)
    assert variant == PAPER
    columns = found.scores["2025-01-08"]
    np.testing.assert_allclose(columns["f"], columns["h"] * columns["payoff_p"], atol=1e-12)
    assert set(columns["fill_source"]) == {""}
    found, variant = variant_of({**world, "propensity": np.full(len(world["ts"]), np.nan)})
    assert variant == ASSOCIATION
    assert not found.scores
    assert all(day["published"].all() for day in found.associations.values())
    certain = {**world, "propensity": world["published"].astype(float)}
    found, variant = variant_of(certain)
    assert variant == DETERMINISTIC
    assert all((day["h"] == 0.0).all() for day in found.scores.values())
