"""Both lanes against the oracle beside this file, which shares no line with the product; what lane F may see."""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.learning.axes import axes
from lotus.learning.bench import Bench
from lotus.learning.day_cube import day_cubes, stacked
from lotus.learning.effect import effects_of, lower_bound, plain_sums, residuals
from lotus.learning.greedy import both_evidence
from lotus.learning.payoff_scores import score
from lotus.learning.rows import day_weights, rows_by_detector
from lotus.learning.search import beyond, draw_maxima, evidence_of, family_of, one_look_critical
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults
from lotus.priors.types import Literal, Rule
from lotus.simulation.hostile_world import KINDS, hostile_world
from lotus.simulation.learning_world import with_strata

_SPEC = importlib.util.spec_from_file_location("lanes_oracle", Path(__file__).with_name("lanes_oracle.py"))
oracle = importlib.util.module_from_spec(_SPEC)
sys.modules["lanes_oracle"] = oracle
_SPEC.loader.exec_module(oracle)

SETTINGS = LearningDefaults(max_literals=1, min_published=5, min_blocks=4, min_days=4)
RULE = Rule.of(Literal(4, 3, 4))
DAYS = 6


PAIR = Rule.of(Literal(4, 3, 4), Literal(10, 0, 1))


@pytest.fixture(scope="module")
def table(worlds):
    """Return seven days of three assets with a lesson in them; the first has no days before it."""
    return worlds.world("plant", seed=12, days=7, per_block=30, lessons=((RULE, 9.0),))


@pytest.fixture(scope="module")
def small(table):
    """Return the windows of the table."""
    return rows_by_detector(table, 90)["d0"]


def literals(rule):
    return [(x.feature, x.low, x.high) for x in rule.literals]


@pytest.mark.parametrize("believed", [(), (RULE,)])
def test_both_lanes_their_bars_and_bounds_are_those_of_the_oracle(small, believed):
    passing = agreed_with_the_oracle(small, believed)
    assert passing.any() != bool(believed), "the lesson is found, and not found again once it is believed"


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_logs_are_judged_as_by_the_oracle(kind):
    scores = hostile_world(kind, 7, DAYS).scores
    rows = rows_by_detector(scores, 90)["d0"]
    agreed_with_the_oracle(rows, ())


def agreed_with_the_oracle(rows, believed):
    """Hold T, M, bars, effects and bounds of rules of one literal against the oracle; return what passes both lanes."""
    space, g = axes(1), day_weights(len(rows.days), 5.0)
    stack = stacked(day_cubes(rows, believed, space), rows.days, space)
    family = family_of(stack, g, space, SETTINGS)
    signs = day_signs(7, rows.days, 49)
    evidence = [evidence_of(r, stack.lane_day, g, space, w) for r, w in zip(stack.r, family.weight, strict=True)]
    rules = [space.rule(k) for k in range(space.n_rules)]
    want = oracle.verdict(
        end_ms=rows.end_ms, day=rows.day, block=rows.block, u0=rows.u0, p=rows.p, published=rows.published,
        paper=rows.payoff_p, executed=rows.payoff_y, bins=rows.bins, horizon_ms=1000 * rows.horizon_s,
        rules=[literals(rule) for rule in rules], n_l=[len(rules)] * len(rules), g=g, xi=signs, alpha=0.1,
        eligible=family.eligible, believed=[literals(rule) for rule in believed],
    )  # fmt: skip
    left = residuals(rows, believed)
    bench = Bench("d0", rows.horizon_s, space, family, g, SETTINGS, believed, "b", rows.days[-1], 0)
    again = both_evidence(bench, rows, left)
    bars = []
    for lane, (found, from_rows, true) in enumerate(zip(evidence, again, (want.s, want.f), strict=True)):
        at = np.flatnonzero(family.eligible & np.isfinite(found.m))
        assert len(at) > 20
        np.testing.assert_allclose(found.t[at], true.t[at], rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(found.m[at], true.m[at], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(from_rows.t[at], found.t[at], rtol=1e-6, atol=1e-9)
        bars.append(one_look_critical(draw_maxima(found, family.eligible, signs, space), 0.1))
        assert bars[-1] == pytest.approx(true.critical, rel=1e-6, abs=1e-6)
        for number in at[::7]:
            effect = effects_of(plain_sums(rows, left, rows.covered(rules[number])), g)[lane]
            assert effect.uplift == pytest.approx(true.u[number], rel=1e-6, abs=1e-7)
            low = lower_bound(effect.uplift, effect.t_stat, bars[-1], float(space.price[1]))
            if true.bound[number] > -abs(true.u[number]):
                assert low == pytest.approx(true.bound[number], rel=1e-6, abs=1e-6)
    both = beyond(type(again)(*evidence), type(again)(*bars)) & family.eligible
    near = np.any([np.abs(x.m - bar) < 1e-6 for x, bar in zip(evidence, bars, strict=True)], axis=0)  # ties of paths
    assert both[~near].tolist() == want.evidence[~near].tolist()
    return both


@pytest.mark.parametrize("believed", [(), (RULE,), (RULE, PAIR)])
def test_every_windows_residual_and_weight_are_those_of_the_oracle(small, believed):
    rows = small
    told = (rows.u0, rows.p, rows.published, rows.payoff_p, rows.payoff_y)
    counts = oracle.block_weights(rows.day, rows.block, *told)
    rules = [literals(rule) for rule in believed]
    s_r, s_weight = oracle.lane_s(rows.day, *told, rows.bins, rules, counts)
    f_r, f_weight = oracle.lane_f(rows.end_ms, rows.day, *told, rows.bins, 1000 * rows.horizon_s, rules, counts)
    left = residuals(rows, believed)
    scale = np.abs(s_r).max()
    for got, want in ((left.r.day, s_r), (left.r.rest, f_r)):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7 * scale)
    for got, want in ((left.weight.day, s_weight), (left.weight.rest, f_weight)):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-12)
    assert not left.weight.rest[rows.day == 0].any(), "a day without days before it counts nothing in lane F"
    assert left.weight.day[rows.day == 0].all()


@pytest.mark.parametrize("believed", [(), (PAIR,)])
def test_rules_of_two_literals_are_judged_as_by_the_oracle(small, believed):
    rows, space, g = small, axes(2), day_weights(len(small.days), 5.0)
    stack = stacked(day_cubes(rows, believed, space), rows.days, space)
    family = family_of(stack, g, space, replace(SETTINGS, max_literals=2))
    evidence = [evidence_of(r, stack.lane_day, g, space, w) for r, w in zip(stack.r, family.weight, strict=True)]
    alive = family.eligible & np.isfinite(evidence[0].m) & np.isfinite(evidence[1].m)
    lengths = space.rule_lengths()
    pairs = np.flatnonzero(alive & (lengths == 2))
    sample = np.concatenate([np.random.default_rng(0).choice(pairs, 120, replace=False),
                             np.flatnonzero(alive & (lengths == 1))[::3]])  # fmt: skip
    chosen = np.zeros(space.n_rules, dtype=bool)
    chosen[sample] = True
    signs = day_signs(7, rows.days, 49)
    want = oracle.verdict(
        end_ms=rows.end_ms, day=rows.day, block=rows.block, u0=rows.u0, p=rows.p, published=rows.published,
        paper=rows.payoff_p, executed=rows.payoff_y, bins=rows.bins, horizon_ms=1000 * rows.horizon_s,
        rules=[literals(space.rule(int(k))) for k in sample], n_l=[int((lengths == lengths[k]).sum()) for k in sample],
        g=g, xi=signs, alpha=0.1, eligible=[True] * len(sample), believed=[literals(rule) for rule in believed],
    )  # fmt: skip
    left = residuals(rows, believed)
    for lane, (found, true) in enumerate(zip(evidence, (want.s, want.f), strict=True)):
        np.testing.assert_allclose(found.t[sample], true.t, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(found.m[sample], true.m, rtol=1e-6, atol=1e-6)
        critical = one_look_critical(draw_maxima(found, chosen, signs, space), 0.1)
        assert critical == pytest.approx(true.critical, rel=1e-6, abs=1e-6)
        for k, number in enumerate(sample.tolist()):
            effect = effects_of(plain_sums(rows, left, rows.covered(space.rule(number))), g)[lane]
            assert effect.uplift == pytest.approx(true.u[k], rel=1e-6, abs=1e-7)
            low = lower_bound(effect.uplift, effect.t_stat, critical, float(space.price[lengths[number]]))
            if true.bound[k] > -abs(true.u[k]):
                assert low == pytest.approx(true.bound[k], rel=1e-6, abs=1e-6)


def test_the_parts_of_the_baseline_are_those_of_the_oracle(small):
    rows = small
    told = (rows.day, rows.u0, rows.p, rows.published, rows.payoff_y)
    np.testing.assert_allclose(rows.level, oracle.levels(*told), rtol=1e-6)
    assert np.isnan(rows.level[rows.day == 0]).all()
    paid = (rows.day, rows.block, rows.u0, rows.p, rows.published, rows.payoff_p, rows.payoff_y)
    np.testing.assert_allclose(rows.weight, oracle.block_weights(*paid), rtol=1e-6)
    for d in range(len(rows.days)):
        mine = rows.day == d
        want = oracle.steps_of(rows.end_ms[mine], rows.h[mine], 1000 * rows.horizon_s)
        assert rows.step[mine].tolist() == want.tolist()


@given(st.integers(1, 6), st.integers(0, 40), st.floats(-50, 50), st.booleans())
def test_what_a_log_paid_until_a_windows_step_cannot_reach_it(table, small, day, step, shock, with_rule):
    """Payoffs of the whole log until a step move; the days' strata of later days move with them, which is allowed.

    The weight of a block is made of how that block scatters, so blocks that hold a moved payoff count more or less;
    with their weights as they were, and in blocks without a moved payoff as they come, nothing reaches a later step.
    """
    rows, believed = small, (RULE,) if with_rule else ()
    plain = residuals(rows, believed)
    moved = (rows.day == day) & (rows.step <= step)
    later = (rows.day == day) & (rows.step > step)
    frozen = residuals(replace(rows, f=np.where(moved, rows.f + shock, rows.f)), believed)
    assert frozen.r.rest[later].tobytes() == plain.r.rest[later].tobytes()
    assert frozen.weight.rest.tobytes() == plain.weight.rest.tobytes()
    again = rows_by_detector(with_strata(paid_more(table, rows, moved, shock)), 90)["d0"]
    assert again.level[rows.day <= day].tobytes() == rows.level[rows.day <= day].tobytes()
    whole = residuals(again, believed)
    untouched = later & ~np.isin(rows.lane, rows.lane[moved])
    assert whole.r.rest[untouched].tobytes() == plain.r.rest[untouched].tobytes()
    assert whole.weight.rest[untouched].tobytes() == plain.weight.rest[untouched].tobytes()
    assert whole.r.rest[rows.day < day].tobytes() == plain.r.rest[rows.day < day].tobytes()


def paid_more(table, rows, moved, shock):
    """Return the table with the payoffs of the moved windows changed and scored again."""
    ids = set(rows.event_id[moved].tolist())
    out = {}
    for day, columns in table.items():
        gain = shock * np.array([one in ids for one in columns["event_id"].tolist()])
        paper, executed = columns["payoff_p"] + gain, columns["payoff_y"] + gain
        f = score(columns["p"], columns["published"], paper, executed)
        out[day] = {**columns, "payoff_p": paper, "payoff_y": executed, "f": f}
    return out


def test_a_believed_rule_leaves_little_in_lane_f(worlds):
    rows = rows_by_detector(worlds.world("plant", seed=31, lessons=((RULE, 9.0),)), 90)["d0"]
    inside, g = rows.covered(RULE), np.ones(len(rows.days))
    before, after = (effects_of(plain_sums(rows, residuals(rows, x), inside), g) for x in ((), (RULE,)))
    assert before.rest.t_stat > 4.0
    assert abs(after.rest.uplift) < 0.35 * before.rest.uplift
    assert abs(after.day.uplift) < 0.05 * before.day.uplift


def test_later_days_change_neither_lane(worlds):
    long = worlds.world("conf", seed=5, days=8, per_block=100)
    short = dict(list(long.items())[:5])
    one, two = (residuals(rows_by_detector(x, 90)["d0"]) for x in (short, long))
    for a, b in zip((*one.r, *one.weight), (*two.r, *two.weight), strict=True):
        assert a.tobytes() == b[: len(a)].tobytes()


def test_without_paper_the_level_of_earlier_days_is_the_control(small):
    rows = small.without_paper()
    known = ~np.isnan(rows.payoff_y)
    level = np.nan_to_num(rows.level)
    want = rows.h * level + np.where(known, (1 - rows.p) * (np.nan_to_num(rows.payoff_y) - level), 0.0)
    np.testing.assert_allclose(rows.f, want, atol=1e-12)
    assert replace(rows, payoff_p=rows.payoff_p + 99.0).without_paper().f.tobytes() == rows.f.tobytes()
