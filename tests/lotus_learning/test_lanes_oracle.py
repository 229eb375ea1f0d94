"""The oracle of the lanes itself, against small examples worked out by hand."""

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def _load() -> ModuleType:
    """Return the oracle that lies beside this file."""
    spec = importlib.util.spec_from_file_location("lanes_oracle", Path(__file__).with_name("lanes_oracle.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


oracle: Any = _load()
NAN = math.nan
MINUTE = 60_000


def two_days() -> dict[str, Any]:
    """Two days of p = 1/2 at u0 = 0: day 0 teaches the level, day 1 has three steps of one window each.

    Day 0: published with Y = 2 and Y = 4 (N = 1, M = 3). Day 1: nothing published, so f = P / 4.
    """
    return {
        "end_ms": np.array([0, 60, 2000, 2060, 2120]) * MINUTE,
        "day": np.array([0, 0, 1, 1, 1]),
        "u0": np.zeros(5),
        "p": np.full(5, 0.5),
        "published": np.array([True, True, False, False, False]),
        "paper": np.array([1.0, 1.0, 8.0, 4.0, 0.0]),
        "executed": np.array([2.0, 4.0, NAN, NAN, NAN]),
        "bins": np.array([[0], [1], [0], [1], [255]]),
    }


def without(log: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the log without these columns."""
    return {name: column for name, column in log.items() if name not in names}


def test_cells_of_the_fine_grid() -> None:
    assert [oracle.cell_of(u) for u in (-99.0, -16.0, -0.001, 0.0, 0.0625, 15.99, 16.0, 99.0)] == [
        0,
        0,
        255,
        256,
        257,
        511,
        511,
        511,
    ]


def test_histograms_count_only_published_windows_with_a_known_payoff() -> None:
    log = two_days()
    log["published"][2] = True
    sums = oracle.histograms(**without(log, "end_ms", "paper", "bins"))
    assert [column[256] for column in sums[0]] == [0.5, 1.0, 3.0]
    assert [column[256] for column in sums[1]] == [0.75, 0.0, 0.0]
    assert sum(column.sum() for day in sums.values() for column in day) == 5.25


def test_the_score_corrects_published_windows() -> None:
    f = oracle.scores(np.full(3, 0.2), np.array([True, False, True]), np.full(3, 5.0), np.array([6.0, NAN, NAN]))
    assert f == pytest.approx([0.16 * 5 + 0.8, 0.8, 0.8])


def test_null_bins_are_never_inside() -> None:
    bins = np.array([[2, 0], [3, 255], [255, 1], [4, 1]], dtype=np.uint8)
    assert oracle.inside(bins, [(0, 2, 3)]).tolist() == [True, True, False, False]
    assert oracle.inside(bins, [(0, 0, 255), (1, 0, 255)]).tolist() == [True, False, False, True]


def test_knots_inside_one_cell_move_apart() -> None:
    weight = np.zeros(512)
    weight[256] = 3.0
    first = 0.01 / 16
    assert oracle.knots_of(weight) == pytest.approx([first + 0.05 * i for i in range(6)])
    assert oracle.knots_of(np.zeros(512)).tolist() == [-3.9, -2.0, -0.8, 0.3, 1.5, 3.9]


def test_knots_of_an_even_spread() -> None:
    weight = np.zeros(512)
    weight[240:272] = 1.0
    assert oracle.knots_of(weight) == pytest.approx([-0.98, -0.6, -0.2, 0.2, 0.6, 0.98])


def test_hats_sum_to_one_and_are_constant_outside() -> None:
    knots = np.array([-3.0, -2.0, -1.0, 0.0, 1.0, 3.0])
    found = oracle.hats(np.array([-9.0, -1.25, 2.0, 9.0]), knots)
    expected = [[1, 0, 0, 0, 0, 0], [0, 0.25, 0.75, 0, 0, 0], [0, 0, 0, 0, 0.5, 0.5], [0, 0, 0, 0, 0, 1]]
    assert found == pytest.approx(np.array(expected))


def test_history_is_the_twenty_newest_days_before() -> None:
    sums = {d: (np.full(512, float(d)),) * 3 for d in [*range(10), *range(12, 30)]}
    before = [*range(7, 10), *range(12, 29)]
    assert len(before) == 20
    assert oracle.history_of(sums, 29)[1][0] == sum(before)
    assert oracle.history_of(sums, 0)[0].sum() == 0


def test_level_of_the_second_day() -> None:
    """The windows lie at u = 0, left of the first knot: B = first hat; the cell's centre lies between two knots."""
    log = two_days()
    level = oracle.levels(**without(log, "end_ms", "paper", "bins"))
    first = 0.01 / 16
    right = (1 / 32 - first) / 0.05
    left = 1 - right
    # (3.75 I + x x')^-1 3 x = 3 x / (3.75 + x'x) with x = (left, right, 0, ...).
    expected = 3 * left / (3.75 + left**2 + right**2)
    assert np.isnan(level[:2]).all()
    assert level[2:] == pytest.approx([expected] * 3)


def test_lane_s_takes_the_mean_of_the_day() -> None:
    """One hat is 1 on day 1: b = sum f / (sum h + .001) = 3 / .751; day 0 uses the default knots -.8 and .3."""
    log = two_days()
    r, weight = oracle.lane_s(**without(log, "end_ms"))
    assert weight.tolist() == [0.25] * 5
    assert r[2:] == pytest.approx(np.array([2.0, 1.0, 0.0]) - 0.25 * 3 / 0.751)
    squares = (0.3**2 + 0.8**2) / 1.1**2
    fit = squares * (0.75 + 1.75) / (0.5 * squares + 1e-3)
    assert r[:2] == pytest.approx(np.array([0.75, 1.75]) - 0.25 * fit)


def test_lane_s_fits_believed_rules_too() -> None:
    """Day 1, first window inside: columns 1 and the indicator, solved by hand for the 2 x 2 system."""
    log = two_days()
    r, _ = oracle.lane_s(**without(log, "end_ms"), believed=[[(0, 0, 0)]])
    a, b, c = 0.751, 0.25, 0.251
    det = a * c - b * b
    level, effect = (c * 3 - b * 2) / det, (a * 2 - b * 3) / det
    assert r[2:] == pytest.approx([2 - 0.25 * (level + effect), 1 - 0.25 * level, -0.25 * level])


def test_steps_are_a_64th_of_the_day_at_most_ten_minutes_and_at_least_the_horizon() -> None:
    h = np.array([0.0, 1.0, 1.0, 1.0, 1.0])
    ends = np.array([-1, 0, 9, 10, 640])
    assert oracle.steps_of(ends, h, 1).tolist() == [0, 0, 0, 1, 64]
    assert oracle.steps_of(ends, h, 320).tolist() == [0, 0, 0, 0, 2]
    assert oracle.steps_of(np.array([0, 0, 9, 10, 1000]) * MINUTE, h, 1).tolist() == [0, 0, 0, 1, 100]


def test_lane_f_compares_with_later_steps() -> None:
    """With f = 2, 1, 0 and the level common to all, it cancels: (2 - 1/2) * 2/3 and (1 - 0) * 1/2; the last is out."""
    log = two_days()
    r, weight = oracle.lane_f(**log, horizon_ms=60 * MINUTE)
    assert r == pytest.approx([0, 0, 1.0, 0.5, 0])
    assert weight == pytest.approx([0, 0, 0.25 * 2 / 3, 0.125, 0])
    together, _ = oracle.lane_f(**log, horizon_ms=61 * MINUTE)
    assert together == pytest.approx([0, 0, (2 - 0) / 3, (1 - 0) / 3, 0])


def test_lane_f_takes_believed_rules_out() -> None:
    """First window of day 1: the later two are (inside, e = 1 - l) and (outside, e = -l) with l = h level."""
    log = two_days()
    log["bins"] = np.array([[0], [0], [1], [1], [0]])
    low = 0.25 * oracle.levels(**without(log, "end_ms", "paper", "bins"))[2]
    r, weight = oracle.lane_f(**log, horizon_ms=60 * MINUTE, believed=[[(0, 1, 1)]])
    # Normal equations: .5 a + .25 b = 1 - 2 l and .25 a + .5 b = 1 - l.
    det = 0.5 * 0.5 - 0.25**2
    a, b = (0.5 * (1 - 2 * low) - 0.25 * (1 - low)) / det, (0.5 * (1 - low) - 0.25 * (1 - 2 * low)) / det
    assert r[2] == pytest.approx(2 / 3 * (2 - low - 0.25 * (a + b)))
    # Second window: only the last lies later, outside the rule: a = -l / .25 and b = 0.
    assert r[3] == pytest.approx(0.5)
    assert weight == pytest.approx([0, 0, 0.25 * 2 / 3, 0.125, 0])


def small_lane() -> dict[str, Any]:
    """Three blocks on two days: sums of the rule 3 (day 0, block 0), -1 (day 0, block 3) and 2 (day 1, block 0)."""
    return {
        "r": np.array([1.0, 2.0, -1.0, 2.0, 50.0]),
        "day": np.array([0, 0, 0, 1, 1]),
        "block": np.array([0, 0, 3, 0, 0]),
        "bins": np.array([[1], [2], [1], [2], [255]]),
        "rules": [[(0, 1, 2)], [(0, 7, 8)]],
        "n_l": [5, 2],
        "g": np.array([1.0, 0.5]),
    }


def test_evidence_of_a_rule() -> None:
    t, m, u = oracle.evidence(**small_lane(), weight=np.array([1.0, 1.0, 0.5, 1.0, 9.0]))
    assert t == pytest.approx([3 / math.sqrt(9 + 1 + 1), 0])
    assert m == pytest.approx([9 / 22 - math.log(5), -math.log(2)])
    assert u == pytest.approx([3 / (2.5 + 0.5), 0])


def test_critical_value_is_an_order_statistic_of_the_draws() -> None:
    """The draws' tops are 3, 1, -3 + 1 ...: 2 and 1 per day, so |top| is 3 or 1."""
    xi = np.array([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, 1.0]])
    lane = small_lane()
    low, high = 1 / 22 - math.log(5), 9 / 22 - math.log(5)
    draws = oracle.largest_of_draws(**lane, xi=xi, eligible=[True, False])
    assert draws == pytest.approx([high, low, low, low])
    # Places 4 and 3 of (1 - alpha) * 5; beyond the last draw nothing can pass.
    assert oracle.critical(**lane, xi=xi, eligible=[True, False], alpha=0.2) == pytest.approx(high)
    assert oracle.critical(**lane, xi=xi, eligible=[True, False], alpha=0.4) == pytest.approx(low)
    assert oracle.critical(**lane, xi=xi, eligible=[True, False], alpha=0.1) == math.inf
    # The empty rule's M is -ln 2 in every draw and dominates.
    assert oracle.critical(**lane, xi=xi, eligible=[True, True], alpha=0.2) == pytest.approx(-math.log(2))


def test_bound() -> None:
    assert oracle.bound(-3.0, -4.0, 1, 2.0) == pytest.approx(1.5)
    assert oracle.bound(3.0, 2.0, 1, 8.0) == pytest.approx(-3.0)
    assert math.isnan(oracle.bound(0.0, 0.0, 1, 2.0))


def test_verdict_needs_both_lanes() -> None:
    """Lane F counts 1 and .5 (rules 'first' and 'second'); lane S sees the second window near the day's mean."""
    log = two_days()
    log["block"] = np.array([0, 0, 1, 2, 3])
    rules = [[(0, 0, 1)], [(0, 1, 1)]]
    found = oracle.verdict(
        **log,
        horizon_ms=60 * MINUTE,
        rules=rules,
        n_l=[1, 1],
        g=np.array([0.0, 1.0]),
        xi=np.zeros((2, 9)),
        alpha=0.1,
        eligible=[True, True],
        weigh=False,
    )
    mean = 0.25 * 3 / 0.751
    one, two = 2 - mean, 1 - mean
    assert found.s.t == pytest.approx([(one + two) / math.hypot(one, two), 1])
    assert found.s.u == pytest.approx([(one + two) / 0.5, two / 0.25])
    assert found.f.t == pytest.approx([1.5 / math.sqrt(1.25), 1])
    assert found.f.u == pytest.approx([1.5 / (0.5 / 3 + 0.125), 4])
    assert (found.s.critical, found.f.critical) == (0, 0)
    assert found.evidence.tolist() == [True, True]
    assert found.shown_u == pytest.approx(np.minimum(np.abs(found.s.u), np.abs(found.f.u)))
    assert found.shown_bound == pytest.approx(found.shown_u)


def test_verdict_refuses_opposite_signs_and_rules_that_are_not_eligible() -> None:
    log = two_days()
    log["block"] = np.array([0, 0, 1, 2, 3])
    log["paper"][3] = 3.0  # below the day's mean, above the later window
    common = {"horizon_ms": 60 * MINUTE, "n_l": [1, 1], "g": np.array([0.0, 1.0]), "xi": np.zeros((2, 9)), "alpha": 0.1}
    rules = [[(0, 0, 0)], [(0, 1, 1)]]
    found = oracle.verdict(**log, **common, rules=rules, eligible=[True, True])
    assert found.s.t == pytest.approx([1, -1])
    assert found.f.t == pytest.approx([1, 1])
    assert found.evidence.tolist() == [True, False]
    assert not oracle.verdict(**log, **common, rules=rules, eligible=[False, True]).evidence.any()
