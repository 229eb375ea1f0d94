"""Compositions: fixed and counted at the start, judged on later days, promoted by the night's bar or refused."""

import math
from dataclasses import replace

import numpy as np
import pytest
from weave_boards import MANIFEST, NIGHT_MS, WEAVE, A, B, braid, day_of, rows

from lotus.learning.lanes import Both
from lotus.learning.members import joint, member_of
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults
from lotus.priors.types import Literal, Rule, priors_version
from lotus.priors.vocabulary import rule_mask
from lotus.timebase import DAY_MS, next_day
from lotus.weave.composition import Parts, contrast_blocks, tilt_of
from lotus.weave.meta import MetaState, closed, judged, members, observed, started
from lotus.weave.night import NightInputs, weave_night
from lotus.weave.watchdog import Evidence

LEARN = LearningDefaults(draws=100)
SIBLING = Rule.of(Literal(7, 0, 0), Literal(1, 0, 0))


def conjunction(bins):
    return 24.0 * ((bins[:, 7] <= 1) & (bins[:, 3] <= 1))


def nothing(bins):
    return 0.0


def after(days: int, effect, board=None, first="2026-02-01"):
    """The state of the candidates of a board after so many days out of sample."""
    board = board or [braid("x", A), braid("y", B)]
    masks = {b.braid_id: rule_mask(b.rule, day_of().bins) for b in board}
    state, day = started(MetaState(), board, masks, first), first
    for _ in range(days):
        day = next_day(day)
        state = observed(state, board, {"d": rows(day, effect)}, day)
    return state, board


def test_candidates_are_pairs_that_cooccur_and_clusters_of_siblings_each_counted_once():
    board = [braid("x", A), braid("y", B), braid("z", SIBLING), braid("o", B, detector_id="e")]
    masks = {b.braid_id: rule_mask(b.rule, day_of().bins) for b in board}
    state = started(MetaState(), board, masks, "2026-02-01")
    assert (state.running[0].op, state.running[0].counted) == ("UNION", 1)
    assert {(c.op, frozenset(c.parents)) for c in state.running} == {
        ("UNION", frozenset("xz")),
        ("INTERSECT", frozenset("xy")),
        ("INTERSECT", frozenset("xz")),
        ("INTERSECT", frozenset("yz")),
    } - {("INTERSECT", frozenset(p)) for p in ("xz", "yz") if np.mean(masks[p[0]] & masks[p[1]]) < 0.02}
    again = started(state, board, masks, "2026-02-02")
    assert again == state
    ended = closed(state, [replace(c, verdict="refused") for c in state.running])
    assert started(ended, board, masks, "2026-02-03") == ended, "what was refused does not begin anew"


def test_the_contrast_is_the_difference_of_two_policies():
    parts = Parts((A, B), (0.4, 0.2), (0.3, 0.1))
    hit = np.array([[True, True], [True, False], [False, True], [False, False]])
    assert tilt_of("INTERSECT", parts, hit).tolist() == pytest.approx([0.6, 0.0, 0.0, 0.0])
    assert tilt_of("UNION", parts, hit).tolist() == pytest.approx([0.35, 0.4, 0.2, 0.0])
    assert tilt_of("EXCEPT", parts, hit).tolist() == pytest.approx([0.0, 0.4, 0.0, 0.0])
    day = rows("2026-02-02", conjunction)
    blocks = contrast_blocks("INTERSECT", parts, [], day)
    both, first = day.covered(A) & day.covered(B), day.covered(A)
    moved = 0.2 * both - 0.4 * (first & ~both)
    assert blocks.weight.sum() == pytest.approx((day.h * np.abs(moved)).sum())


def test_a_state_never_takes_a_day_twice_nor_its_own_start():
    state, board = after(3, conjunction)
    assert state.running[0].days == 3
    assert observed(state, board, {"d": rows("2026-02-04", conjunction)}, "2026-02-04") == state
    fresh, _ = after(0, conjunction)
    assert observed(fresh, board, {"d": rows("2026-02-01", conjunction)}, "2026-02-01") == fresh


def test_a_true_conjunction_is_promoted_only_after_ten_days_and_beyond_the_bar():
    early, board = after(9, conjunction)
    (soon,) = judged(early, board, Both(1.0, 1.0), LEARN, WEAVE)
    assert (soon.verdict, soon.days) == ("running", 9)
    assert "10 needed" in soon.reason
    state, board = after(12, conjunction)
    (kept,) = judged(state, board, Both(math.inf, math.inf), LEARN, WEAVE)
    assert kept.verdict == "running"
    (high,) = judged(state, board, Both(100.0, 100.0), LEARN, WEAVE)
    assert "not above 100.00" in high.reason
    (found,) = judged(state, board, Both(3.0, 3.0), LEARN, WEAVE)
    assert found.verdict == "promoted"
    assert found.m_nats > 3.0


def test_a_chance_composition_is_refused_with_its_number_when_its_time_ends():
    state, board = after(60, nothing)
    (verdict,) = judged(state, board, Both(3.0, 3.0), LEARN, WEAVE)
    assert verdict.verdict == "refused"
    assert "60 days" in verdict.reason
    assert "nats" in verdict.reason


def test_a_composition_whose_parent_left_or_is_taken_is_refused():
    state, board = after(12, conjunction)
    (gone,) = judged(state, [replace(board[0], state="sunset"), board[1]], Both(3.0, 3.0), LEARN, WEAVE)
    assert gone.verdict == "refused"
    other = braid("m", braid_type="meta", op="INTERSECT", parents=("x", "q"))
    (taken,) = judged(state, [*board, other], Both(3.0, 3.0), LEARN, WEAVE)
    assert "another composition" in taken.reason


def test_a_member_spends_the_slots_of_rules_with_the_signs_of_rules():
    days = [f"2026-02-{d:02d}" for d in range(1, 13) for _ in range(4)]
    gain = np.random.default_rng(0).normal(1.0, 1.0, len(days))
    rest = gain + np.random.default_rng(1).normal(0.0, 0.5, len(days))
    member = member_of("m", days, Both(gain, rest), 5, LEARN)
    t = gain.sum() / np.sqrt((gain**2).sum())
    assert member.m.day == pytest.approx(t**2 / 2 - np.log(5))
    assert member.m.rest == pytest.approx(rest.sum() ** 2 / (rest**2).sum() / 2 - np.log(5))
    signs = np.repeat(day_signs(LEARN.seed, sorted(set(days)), LEARN.draws), 4, axis=0)
    drawn = np.maximum(signs.T @ gain, 0.0) / np.sqrt((gain**2).sum())
    np.testing.assert_allclose(member.draws.day, drawn**2 / 2 - np.log(5), rtol=1e-7)
    worse = member_of("w", days, Both(-gain, -rest), 5, LEARN)
    assert tuple(worse.m) == pytest.approx((-np.log(5), -np.log(5))), "only a better composition is evidence"
    for lane in (0, 1):
        of_lane = [(x.m[lane], x.draws[lane]) for x in (member, worse)]
        real, maxima = joint(1.0, np.full(LEARN.draws, 0.5), of_lane)
        assert real == max(1.0, member.m[lane])
        assert maxima.tolist() == np.maximum(np.maximum(member.draws[lane], worse.draws[lane]), 0.5).tolist()
    assert member_of("n", [], Both(np.zeros(0), np.zeros(0)), 1, LEARN).m == (-math.inf, -math.inf)


def test_a_composition_that_is_better_against_the_whole_day_alone_is_not_promoted():
    state, board = after(12, conjunction)
    (candidate,) = state.running
    alone = replace(state, running=(replace(candidate, rest_gain=tuple(-x for x in candidate.rest_gain)),))
    (verdict,) = judged(alone, board, Both(3.0, 3.0), LEARN, WEAVE)
    assert verdict.verdict == "running"
    old = replace(state, running=(replace(candidate, rest_gain=(), rest_weight=()),))
    (verdict,) = judged(old, board, Both(3.0, 3.0), LEARN, WEAVE)
    assert verdict.verdict == "running", "one begun before there were two lanes has no evidence in the second"


def test_false_compositions_are_rare():
    """60 worlds without any effect: a candidate of 12 days beyond the .04 quantile of its own draws."""
    learn, hits = replace(LEARN, draws=200), 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        days = [f"2026-02-{d:02d}" for d in range(1, 13) for _ in range(4)]
        gain = rng.standard_t(4, len(days)) * np.repeat(rng.uniform(0.5, 2, 12), 4)
        member = member_of("m", days, Both(gain, gain), 1, learn)
        hits += member.m.rest > np.sort(member.draws.rest)[int(0.96 * 201)]
    assert hits <= 7


def test_a_night_makes_a_meta_braid_that_acts_and_counts_its_members():
    state, board = after(12, conjunction)
    day = next_day(max(state.running[0].block_days))
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board))
    evidence = Evidence(day, {"d": rows(day, conjunction)})
    inputs = NightInputs(evidence, meta=state, critical=Both(2.0, 2.0))
    woven = weave_night(previous, board, [], {"d": day_of()}, NIGHT_MS, MANIFEST, inputs)
    (meta,) = [b for b in woven.braids if b.braid_type == "meta"]
    assert (meta.op, meta.parents, meta.state, meta.grade) == ("INTERSECT", ("x", "y"), "active", "B")
    assert meta.claim_bps > 0.0
    assert meta.monitor.last_day == day
    assert meta.braid_id in {b.braid_id for b in woven.priors.braids}
    assert woven.meta_state.running == ()
    assert [c.verdict for c in woven.meta] == ["promoted"]
    assert len(members(state, LEARN)) == 1
    later = next_day(day)
    follow = weave_night(
        woven.priors, woven.braids, [], {"d": day_of()}, NIGHT_MS + DAY_MS, MANIFEST,
        NightInputs(Evidence(later, {"d": rows(later, conjunction)}), meta=woven.meta_state),
    )  # fmt: skip
    (seen,) = [b for b in follow.braids if b.braid_type == "meta"]
    assert seen.monitor.blocks == 4
