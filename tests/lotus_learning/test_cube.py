"""The cube against brute force on random rules, with nulls; its lake form; days that do not leak into each other."""

import numpy as np
import pytest

from lotus.learning.axes import axes
from lotus.learning.basis import KNOTS, placed, with_rules
from lotus.learning.boxes import box_moments, box_presence
from lotus.learning.cube import LESSON_ATOMS, SUMS, accumulate, atoms_of, cube_of
from lotus.learning.demean import RIDGE, demean
from lotus.learning.payoff_scores import bins_of
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.search import evidence_of
from lotus.priors.vocabulary import N_BINS, iter_rules, rule_counts, rule_mask

SPACE = axes()


def random_bins(rng, n, null_share=0.1):
    bins = np.stack([rng.integers(0, b, n) for b in N_BINS], axis=1).astype(np.uint8)
    bins[rng.random(bins.shape) < null_share] = 255
    return bins


def test_rules_are_numbered_one_to_one():
    assert SPACE.n_rules == sum(rule_counts())
    lengths = SPACE.rule_lengths()
    assert [int((lengths == n).sum()) for n in (1, 2, 3)] == list(rule_counts())
    for number in range(0, SPACE.n_rules, 997):
        assert SPACE.number(SPACE.rule(number)) == number
    assert {SPACE.rule(i) for i in np.flatnonzero(lengths == 1)} == set(iter_rules(1))


@pytest.mark.parametrize("seed", [0, 1])
def test_box_sums_equal_brute_force_on_random_rules(seed):
    rng = np.random.default_rng(seed)
    n, lanes = 4000, 6
    bins, value = random_bins(rng, n), rng.normal(size=n)
    lane = rng.integers(0, lanes, n)
    g = rng.random(lanes) + 0.5
    cube = accumulate(bins, lane, value, lanes, SPACE.subsets)
    total, square = box_moments(SPACE.lean(cube), g, *SPACE.table)
    blocks = box_presence(SPACE.lean(accumulate(bins, lane, np.abs(value), lanes, SPACE.subsets)), 1e-6, *SPACE.table)
    for number in rng.integers(0, SPACE.n_rules, 300):
        inside = rule_mask(SPACE.rule(int(number)), bins)
        per_lane = np.bincount(lane[inside], weights=value[inside], minlength=lanes)
        assert total[number] == pytest.approx((g * per_lane).sum(), abs=1e-9)
        assert square[number] == pytest.approx((g * g * per_lane**2).sum(), abs=1e-9)
        present = np.bincount(lane[inside], minlength=lanes) > 0
        assert blocks[number] == present.sum()


def evidence_of_rows(rows, r, g):
    cube = SPACE.lean(accumulate(rows.bins, rows.lane, r, rows.n_lanes, SPACE.subsets))
    return evidence_of(cube, rows.lane_day, g, SPACE, np.ones(SPACE.n_rules))


def test_atoms_of_days_add_up_to_the_search(worlds):
    scores = worlds.world("conf", seed=9, days=3, per_block=150)
    for columns in scores.values():
        columns["b_oi"][::3] = 255
    rows = rows_by_detector(scores, 90)["d0"]
    r = demean(rows.basis(), rows.h, rows.f, rows.day, 3)
    evidence = evidence_of_rows(rows, r, np.ones(3))
    for index, day in enumerate(scores):
        today = rows.day == index
        values = dict.fromkeys(SUMS, rows.h[today]) | {"r": r[today], "n": rows.published[today].astype(float)}
        block = (rows.lane[today] % 2 + 1).astype(np.uint8)  # two blocks a day, the second and the third
        atoms = atoms_of("d0", day, rows.bins[today], block, values)
        assert tuple(atoms) == LESSON_ATOMS.names
        assert set(np.unique(atoms["block"])) == {1, 2}
        for name in values:
            expected = accumulate(rows.bins[today], block.astype(np.int64), values[name], 4, SPACE.subsets)
            np.testing.assert_array_equal(cube_of(atoms, name), expected)
        np.testing.assert_allclose(SPACE.lean(cube_of(atoms, "r")).sum(axis=0), evidence.day_cube[index], atol=1e-9)
        single = [row == [-1, -1, 4] for row in SPACE.subsets[atoms["triple"]].tolist()]
        assert atoms["n"][single].sum() == values["n"].sum()


@pytest.mark.parametrize("n_rules", [0, 1, 2, 3, 12])
def test_demeaning_equals_the_ridge_regression_of_each_day(n_rules):
    rng = np.random.default_rng(3)
    h, f, day = rng.random(300), rng.normal(size=300), rng.integers(0, 3, 300)
    hats = placed(rng.normal(-1.0, 3.0, 300), KNOTS)
    columns = with_rules(hats.left, hats.share, list(rng.random((n_rules, 300)) < 0.4))
    r, basis, k = demean(columns, h, f, day, 3), columns.dense(), columns.width
    for d in range(3):
        b, w, y = basis[day == d], h[day == d], f[day == d]
        beta = np.linalg.solve((b * w[:, None]).T @ b + RIDGE * np.eye(k), b.T @ y)
        np.testing.assert_allclose(r[day == d], y - w * (b @ beta), atol=1e-8)
        np.testing.assert_allclose(b.T @ r[day == d], RIDGE * beta, atol=1e-7)


def test_the_cube_of_ten_days_is_bit_identical_inside_thirteen(worlds):
    long = worlds.world("conf", seed=5, per_block=150)
    short = dict(list(long.items())[:10])
    cubes = []
    for scores in (short, long):
        rows = rows_by_detector(scores, 90)["d0"]
        r = demean(rows.basis(), rows.h, rows.f, rows.day, len(rows.days))
        cubes.append(evidence_of_rows(rows, r, np.ones(len(rows.days))).day_cube)
    np.testing.assert_array_equal(cubes[0], cubes[1][:10])


def test_t_equals_brute_force_with_weights(worlds):
    rows = rows_by_detector(worlds.world("conf", seed=6, per_block=150), 90)["d0"]
    g = day_weights(13, 20.0)
    r = demean(rows.basis(), rows.h, rows.f, rows.day, 13)
    evidence = evidence_of_rows(rows, r, g)
    rng = np.random.default_rng(0)
    worst = 0.0
    for number in rng.integers(0, SPACE.n_rules, 200):
        inside = rows.covered(SPACE.rule(int(number)))
        d = g[rows.lane_day] * np.bincount(rows.lane[inside], weights=r[inside], minlength=rows.n_lanes)
        if (d != 0).any():
            worst = max(worst, abs(d.sum() / np.sqrt((d * d).sum()) - evidence.t[number]))
    assert worst <= 1e-5


def test_bins_come_back_as_they_were_stored(worlds):
    day = next(iter(worlds.world(days=1, per_block=20).values()))
    assert (bins_of(day)[:, 4] == day["b_imbalance"]).all()
