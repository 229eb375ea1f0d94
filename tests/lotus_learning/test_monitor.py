"""The monitor: direct double sum, no look at later blocks, scale, inheritance, false reverts, delay after death."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.errors import BeliefError
from lotus.learning.demean import demean
from lotus.learning.forward import forward
from lotus.learning.monitor import (
    RATES,
    RHO,
    Blocks,
    Monitor,
    inherit,
    observe,
    unpatched_blocks,
    variance_rate,
    watch,
)
from lotus.learning.rows import rows_by_detector
from lotus.priors.types import Literal, Rule
from lotus_store.ledger.bodies import from_body, to_plain

floats = st.floats(-60.0, 60.0).map(lambda x: round(x, 6))
series = st.lists(st.tuples(floats, st.sampled_from([0.0, 5.0, 20.0])), min_size=1, max_size=60)


def blocks_of(pairs: list[tuple[float, float]], first: int = 0) -> Blocks:
    days = tuple(f"d{first + i // 4:04d}" for i in range(len(pairs)))
    return Blocks(days, np.array([g for g, _ in pairs]), np.array([w for _, w in pairs]))


def direct(monitor: Monitor, blocks: Blocks) -> tuple[float, float]:
    """E_n and its maximum as `docs/concepts/weave.md` writes it: a double sum over starting points, O(n^2)."""
    used = blocks.weight > 0.0
    owed = RHO * monitor.claim_bps * blocks.weight[used] - monitor.sign * blocks.gain[used]
    y = owed / np.sqrt(monitor.variance * blocks.weight[used])
    best = value = 1.0
    for n in range(1, len(y) + 1):
        total = 0.0
        for j in range(n):
            total += np.mean([math.exp(sum(r * x - r * r * x * x / 2 for x in y[j:n])) for r in RATES])
        value = total / monitor.budget + 1.0 - n / monitor.budget
        best = max(best, value)
    return value, best


@settings(max_examples=examples(40), deadline=None)
@given(series, st.sampled_from([-1, 1]), st.floats(0.5, 9.0), st.floats(5.0, 400.0))
def test_the_running_sums_equal_the_direct_double_sum(pairs, sign, claim, variance):
    start = watch(sign, claim, variance, 60)
    assert start.budget == 240
    blocks = blocks_of(pairs)
    seen = observe(start, blocks)
    value, best = direct(start, blocks)
    assert seen.e_value == pytest.approx(value, rel=1e-6)
    assert seen.peak == pytest.approx(best, rel=1e-6)


@settings(max_examples=examples(40), deadline=None)
@given(series, series)
def test_it_never_depends_on_later_blocks_and_days_may_come_one_by_one(early, late):
    early = early[: len(early) // 4 * 4]
    whole = blocks_of(early + late)
    day_by_day = watch(1, 2.0, 50.0, 60)
    states = []
    for day in sorted(set(whole.day)):
        at = [i for i, d in enumerate(whole.day) if d == day]
        day_by_day = observe(day_by_day, Blocks((day,) * len(at), whole.gain[at], whole.weight[at]))
        states.append(day_by_day)
    assert day_by_day == observe(watch(1, 2.0, 50.0, 60), whole)
    if early:
        assert states[len(early) // 4 - 1] == observe(watch(1, 2.0, 50.0, 60), blocks_of(early))
    assert observe(day_by_day, whole) == day_by_day, "a day is never taken twice"


@given(series, st.sampled_from([0.125, 4.0, 64.0]))
def test_units_do_not_matter(pairs, scale):
    small = observe(watch(1, 2.0, 50.0, 60), blocks_of(pairs))
    large = observe(watch(1, 2.0 * scale, 50.0 * scale**2, 60), blocks_of([(g * scale, w) for g, w in pairs]))
    assert large.sums == small.sums


@given(series)
def test_a_lesson_and_its_mirror_image_are_the_same(pairs):
    up = observe(watch(1, 2.0, 50.0, 60), blocks_of(pairs))
    down = observe(watch(-1, -2.0, 50.0, 60), blocks_of([(-g, w) for g, w in pairs]))
    assert down == replace(up, sign=-1)


@given(series)
def test_a_state_survives_its_body(pairs):
    state = observe(watch(1, 2.0, 50.0, 60), blocks_of(pairs))
    assert from_body(to_plain(state), Monitor) == state
    both = replace(state, rest=state)
    assert from_body(to_plain(both), Monitor) == both


def in_both(day, rest):
    return replace(blocks_of(day), rest=blocks_of(rest))


def test_a_lesson_that_dies_in_one_lane_is_reverted_and_one_that_lives_in_both_is_not():
    alive, dead = [(20.0, 5.0)] * 200, [(-20.0, 5.0)] * 200
    start = replace(watch(1, 2.0, 50.0, 60), rest=watch(1, 2.0, 50.0, 60))
    for day, rest, reverted in ((alive, alive, False), (alive, dead, True), (dead, alive, True)):
        state = observe(start, in_both(day, rest))
        assert state.dead is reverted
        assert (state.blocks, state.rest.blocks) == (200, 200)
    one = observe(watch(1, 2.0, 50.0, 60), blocks_of(dead[:30]))
    both = observe(start, in_both(dead[:30], dead[:30]))
    assert both.e_value == pytest.approx(one.e_value)
    mixed = observe(start, in_both(alive[:30], dead[:30]))
    other = observe(watch(1, 2.0, 50.0, 60), blocks_of(alive[:30]))
    assert mixed.e_value == pytest.approx((one.e_value + other.e_value) / 2)
    assert mixed.fresh_t == pytest.approx(one.fresh_t)
    assert mixed.warning_t == pytest.approx(one.warning_t)


def test_a_monitor_of_before_there_were_two_lanes_goes_on_with_its_own():
    body = to_plain(observe(watch(1, 2.0, 50.0, 60), blocks_of([(20.0, 5.0)] * 8)))
    del body["rest"]
    old = from_body(body, Monitor)
    after = observe(old, in_both([(20.0, 5.0)] * 12, [(-20.0, 5.0)] * 12))
    assert after.rest is None
    assert after == observe(watch(1, 2.0, 50.0, 60), blocks_of([(20.0, 5.0)] * 12))


def test_a_challenger_inherits_and_a_spent_budget_begins_anew():
    old = observe(watch(1, 2.0, 50.0, 1), blocks_of([(-20.0, 5.0)] * 3))
    heir = inherit(old, watch(1, 3.0, 60.0, 60))
    assert (heir.blocks, heir.sums, heir.peak) == (old.blocks, old.sums, old.peak)
    assert (heir.claim_bps, heir.variance) == (3.0, 60.0)
    spent = observe(old, blocks_of([(20.0, 5.0)] * 2, first=1))
    assert spent.blocks == 1
    assert spent.peak >= old.peak


def test_a_lesson_without_effect_has_no_monitor():
    with pytest.raises(BeliefError):
        watch(1, 0.0, 5.0, 60)


def simulated(rng, snr, alive, days):
    """Blocks of `days` days: heavy tails, clustered volatility; the effect is 1 bps until day `alive`, then 0."""
    n = days * 4
    weight = rng.uniform(15.0, 25.0, n)
    rate = 20.0 * 4 / snr**2  # v with e = 1: daily SNR = sqrt(4 H / v)
    vol = np.exp(0.3 * np.repeat(rng.normal(size=days), 4) - 0.045)
    noise = rng.standard_t(4, n) / math.sqrt(2.0) * vol
    gain = np.where(np.arange(n) < 4 * alive, 1.0, 0.0) * weight + noise * np.sqrt(rate * weight)
    return Blocks(tuple(f"d{i // 4:04d}" for i in range(n)), gain, weight), rate


def first_revert(claim, rate, blocks, budget_days):
    """Return the first day (from 0) after which the monitor says dead, None when it never does."""
    state = watch(1, claim, rate, budget_days)
    for i in range(0, len(blocks.day), 4):
        state = observe(state, Blocks(blocks.day[i : i + 4], blocks.gain[i : i + 4], blocks.weight[i : i + 4]))
        if state.dead:
            return i // 4
    return None


def test_at_the_bound_at_most_one_in_twenty_is_reverted():
    """The true effect is exactly rho times the claim; 120 lives of 60 days; 1 % of a correct process fails here."""
    rng = np.random.default_rng(5)
    reverted = 0
    for _ in range(120):
        blocks, rate = simulated(rng, 3.0, 60, 60)
        reverted += first_revert(1.0 / RHO, rate, blocks, 60) is not None
    assert reverted <= 12


def test_a_dead_lesson_of_daily_snr_three_is_gone_within_two_weeks():
    rng = np.random.default_rng(6)
    delays = []
    for _ in range(40):
        blocks, rate = simulated(rng, 3.0, 20, 60)
        found = first_revert(1.0, rate, blocks, 60)
        delays.append(99 if found is None else found + 1 - 20)
    assert min(delays) > 0, "none was reverted while it was alive"
    assert np.median(delays) <= 14


def test_blocks_are_weighted_as_without_braids_and_demeaned_on_the_others(worlds):
    rule, other = Rule.of(Literal(4, 3, 4)), Rule.of(Literal(0, 0, 1))
    scores = worlds.world("plant", seed=3, days=4, lessons=[(rule, 6.0)])
    rows = rows_by_detector(scores, 90)["d0"]
    tilted = replace(rows, u0=rows.u0 - 0.7)
    blocks = unpatched_blocks(tilted, rule, [rule, other])
    p0 = 1 / (1 + np.exp(-tilted.u0))
    h0 = p0 * (1 - p0)
    paid = np.where(rows.published, rows.payoff_y - rows.payoff_p, 0.0)
    f0 = rows.weight * (h0 * rows.payoff_p + rows.published * (h0 / rows.p) * paid)
    h0 = rows.weight * h0
    r = demean(tilted.basis((other,)), h0, f0, rows.day, len(rows.days))
    rest = forward(f0, h0, rows.level, rows.step, rows.day, rows.covered(other)[None])
    inside = rows.covered(rule)
    for lane in range(rows.n_lanes):
        mine = inside & (rows.lane == lane)
        assert blocks.gain[lane] == pytest.approx(r[mine].sum(), rel=1e-9)
        assert blocks.weight[lane] == pytest.approx(h0[mine].sum(), rel=1e-12)
        assert blocks.rest.gain[lane] == pytest.approx(rest.r[mine].sum(), rel=1e-9)
        assert blocks.rest.weight[lane] == pytest.approx(rest.weight[mine].sum(), rel=1e-9)
    plain = unpatched_blocks(rows, rule, [])
    assert plain.gain.sum() / plain.weight.sum() > 2.0
    assert variance_rate(plain, 3.0) > 0.0


def test_a_window_without_paper_payoff_uses_the_control_of_its_score(worlds):
    rows = rows_by_detector(worlds.world("null", seed=4, days=2), 90)["d0"]
    rule = Rule.of(Literal(4, 3, 4))
    blind = replace(rows, payoff_p=np.full(len(rows), np.nan))
    one, two = (unpatched_blocks(x, rule, []) for x in (rows, blind))
    np.testing.assert_allclose(two.gain, one.gain, rtol=1e-6)
