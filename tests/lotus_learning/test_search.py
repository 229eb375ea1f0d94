"""The search against a slow oracle that knows nothing of cubes; signs; the one-look bar; ties."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.hashing import round_learned
from lotus.learning.axes import axes
from lotus.learning.day_cube import day_cubes, stacked
from lotus.learning.demean import demean
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.search import best_rule, draw_maxima, evidence_of, family_of, one_look_critical
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults
from lotus.priors.vocabulary import iter_rules, rule_counts, rule_mask

SETTINGS = LearningDefaults()


@pytest.fixture(scope="module")
def search(worlds):
    """Return (rows, r, g, space, evidence, family, signs) of a small world over rules of at most two literals."""
    rows = rows_by_detector(worlds.world("conf", seed=8, per_block=250), 90)["d0"]
    g, space = day_weights(len(rows.days), 20.0), axes(2)
    rows = replace(rows, f=rows.weight * rows.f, h=rows.weight * rows.h, weight=np.ones(len(rows)))
    r = demean(rows.basis(), rows.h, rows.f, rows.day, len(rows.days))
    signs = day_signs(7, rows.days, 25)
    stack = stacked(day_cubes(rows, (), space), rows.days, space)
    family = family_of(stack, g, space, SETTINGS)
    evidence = evidence_of(stack.r.day, stack.lane_day, g, space, family.weight.day)
    return rows, r, g, space, evidence, family, signs


def oracle(rows, r, g, signs):
    """Return {rule: (T, M, eligible, M of each draw)} the slow way."""
    out = {}
    counts = rule_counts()
    for size in (1, 2):
        for rule in iter_rules(size):
            inside = rule_mask(rule, rows.bins)
            h = np.bincount(rows.lane[inside], weights=rows.h[inside], minlength=rows.n_lanes)
            d = g[rows.lane_day] * np.bincount(rows.lane[inside], weights=r[inside], minlength=rows.n_lanes)
            q = (d * d).sum()
            if q == 0:
                continue
            coverage, days = h.sum() / rows.h.sum(), len(set(rows.lane_day[h > 0]))
            fits = (
                0.03 <= coverage <= 0.5 and rows.published[inside].sum() >= 100 and (h > 0).sum() >= 20 and days >= 10
            )
            t = d.sum() / np.sqrt(q)
            star = np.array([(signs[rows.lane_day, j] * d).sum() ** 2 / q for j in range(signs.shape[1])])
            out[rule] = (t, t * t / 2 - np.log(counts[size - 1]), fits, star / 2 - np.log(counts[size - 1]))
    return out


def test_search_equals_a_slow_oracle(search):
    rows, r, g, space, evidence, family, signs = search
    slow = oracle(rows, r, g, signs)
    for number in range(space.n_rules):
        rule = space.rule(number)
        if rule in slow:
            t, m, fits, _ = slow[rule]
            assert evidence.t[number] == pytest.approx(t, abs=1e-8)
            assert evidence.m[number] == pytest.approx(m, abs=1e-7)
            assert family.eligible[number] == fits
    stars = np.max([star for _, _, fits, star in slow.values() if fits], axis=0)
    np.testing.assert_allclose(draw_maxima(evidence, family.eligible, signs, space), stars, atol=1e-6)
    number, m = best_rule(np.where(family.eligible, evidence.m, -np.inf), space)
    assert m == pytest.approx(max(x[1] for x in slow.values() if x[2]), abs=1e-7)
    assert slow[space.rule(number)][1] == pytest.approx(m, abs=1e-7)


def test_the_draws_move_whole_days(search):
    rows, _r, _g, space, evidence, family, signs = search
    flipped = signs * -1.0
    np.testing.assert_array_equal(
        draw_maxima(evidence, family.eligible, signs, space), draw_maxima(evidence, family.eligible, flipped, space)
    )
    real = draw_maxima(evidence, family.eligible, np.ones((len(rows.days), 1)), space)[0]
    _, best = best_rule(np.where(family.eligible, evidence.m, -np.inf), space)
    assert round_learned(np.array([real]))[0] == pytest.approx(best, abs=1e-7)


def test_equal_evidence_goes_to_the_first_rule():
    space = axes(1)
    m = np.full(space.n_rules, -np.inf)
    m[[40, 7, 90]] = 3.0 + np.array([0.0, 1e-13, -1e-13])
    number, value = best_rule(m, space)
    assert space.rule(number) == min(space.rule(i) for i in (40, 7, 90))
    assert value == 3.0
    assert best_rule(np.full(space.n_rules, -np.inf), space)[0] == -1


def test_one_look_takes_the_stated_order_statistic():
    maxima = np.random.default_rng(0).permutation(400).astype(float)
    assert one_look_critical(maxima, 0.04) == 384.0  # the 385th smallest
    assert one_look_critical(maxima[:10], 0.04) == np.inf
