"""Rare large losses: small rules that met few of them are asked again with the scatter of their coverage."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.learning.axes import axes
from lotus.learning.bench import Bench
from lotus.learning.day_cube import day_cubes, stacked
from lotus.learning.effect import residuals
from lotus.learning.greedy import both_evidence
from lotus.learning.lanes import Both
from lotus.learning.night import learn_night
from lotus.learning.one_sided import LIMIT, one_sidedness, unlucky
from lotus.learning.payoff_scores import score
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.search import family_of
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import BIN_COLUMNS, rule_mask
from lotus.simulation.learning_world import with_strata


def changed(world, change):
    """Return a world whose payoffs are `change(payoffs, bins, rng)`; lane and strata follow."""
    rng, out = np.random.default_rng(5), {}
    for day, columns in world.items():
        bins = np.stack([columns[name] for name in BIN_COLUMNS], axis=1)
        paid = change(columns["payoff_p"], bins, rng)
        executed = np.where(columns["published"], paid, np.nan)
        f = score(columns["p"], columns["published"], paid, executed)
        out[day] = {**columns, "payoff_p": paid, "payoff_y": executed, "f": f}
    return with_strata(out)


def z_of(world):
    rows = rows_by_detector(world, 90)["d0"]
    return one_sidedness(rows, residuals(rows).r.day)


@pytest.fixture(scope="module")
def plain(worlds):
    """Return forty days without a lesson."""
    return worlds.world("conf", seed=70, days=40, per_block=80)


def rarely_lost(paid, _, rng):
    return np.where(rng.random(len(paid)) < 1 / 31, -30.0, 1.0) * 4.0


def test_rare_losses_are_told_from_payoffs_that_are_alike_on_both_sides(plain):
    assert abs(z_of(plain)) < LIMIT
    lost = z_of(changed(plain, rarely_lost))
    won = z_of(changed(plain, lambda *x: -rarely_lost(*x)))
    assert lost < -LIMIT
    assert won > LIMIT


def test_a_rule_of_little_scatter_is_asked_with_the_usual_one_only_where_losses_are_rare(plain, one_look):
    rows, space = rows_by_detector(plain, 90)["d0"], axes(1)
    g = day_weights(len(rows.days), 1e12)
    family = family_of(stacked(day_cubes(rows, (), space), rows.days, space), g, space, one_look.learning)
    bench = Bench("d0", rows.horizon_s, space, family, g, one_look.learning, (), "b", rows.days[-1], 0)
    evidence = both_evidence(bench, rows, residuals(rows))
    number = int(np.flatnonzero(family.eligible)[7])
    lucky = Both(*(scattered(one, number, 0.4, 4.0) for one in evidence))
    assert "in lane S does not exceed 2.00" in unlucky(bench, lucky, number, Both(2.0, 2.0), -4.0)
    assert "z -4.0, limit 3" in unlucky(bench, lucky, number, Both(2.0, 2.0), -4.0)
    assert unlucky(bench, lucky, number, Both(2.0, 2.0), -2.9) == "", "a symmetric log asks its own scatter alone"
    usual = Both(*(scattered(one, number, 1.0, 4.0) for one in evidence))
    assert unlucky(bench, usual, number, Both(2.0, 2.0), -4.0) == ""
    wide = Both(*(scattered(one, number, 9.0, 4.0) for one in evidence))
    assert unlucky(bench, wide, number, Both(2.0, 2.0), 4.0) == "", "more scatter than usual is in T already"


def scattered(one, number, share, t):
    """Return evidence in which a rule has `t` and `share` of the median rule's squares."""
    coverage_free = np.median(one.square[np.isfinite(one.m) & (one.square > 0.0)])
    square, ts = one.square.copy(), one.t.copy()
    square[:], ts[number] = coverage_free, t
    square[number] *= share
    return replace(one, square=square, t=ts)


def test_a_true_rule_is_found_among_rare_losses_when_it_is_strong(plain, one_look):
    rule = Rule.of(Literal(4, 3, 4))
    night = learn_night(changed(plain, lambda *x: rarely_lost(*x) + 14.0 * rule_mask(rule, x[1])), one_look)
    assert any(set(rule.literals) <= set(lesson.rule.literals) for lesson in night.lessons)


def test_the_null_bin_and_an_odd_number_of_features_are_cells_too(plain):
    rows = rows_by_detector(plain, 90)["d0"]
    holes = replace(rows, bins=np.where(rows.bins == 0, 255, rows.bins)[:, :11])
    assert np.isfinite(one_sidedness(holes, residuals(rows).r.day))
