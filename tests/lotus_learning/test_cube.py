"""The cube against brute force on random rules, with nulls; its lake form; days that do not leak into each other."""

import numpy as np

from lotus.learning.axes import axes
from lotus.learning.cube import LESSON_ATOMS, SUMS, accumulate, atoms_of, cube_of
from lotus.learning.demean import demean
from lotus.learning.payoff_scores import bins_of
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.search import evidence_of

SPACE = axes()


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
