"""Champion and challenger on the same windows: planted winners, ties, equal worlds, and what the board says of it."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import stdtrit
from weave_boards import MANIFEST, NIGHT_MS, A, B, braid, day_of, lesson, monitor, rows_of_days

from lotus.learning.monitor import unpatched_residuals
from lotus.learning.rows import DetectorRows, day_weights
from lotus.priors.types import Literal, Patch, Rule, priors_version
from lotus.timebase import DAY_MS
from lotus.weave.challenge import matched, rivals
from lotus.weave.night import NightInputs, WovenNight, weave_night
from lotus.weave.watchdog import Evidence

NARROW = Rule.of(Literal(7, 0, 1), Literal(0, 0, 2))  # three quarters of A's windows
WIDE = replace(MANIFEST, weave=replace(MANIFEST.weave, max_overlap=0.7))
DAY = "2026-01-30"


def night(board, lessons, table: DetectorRows, manifest=WIDE) -> WovenNight:
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board if b.in_force))
    given = NightInputs(Evidence(DAY, {}, {"d": table}))
    return weave_night(previous, board, lessons, {"d": day_of()}, NIGHT_MS, manifest, given)


def lives_in_narrow(bins):
    return np.where(bins[:, 7] <= 1, np.where(bins[:, 0] <= 2, 10.0, -30.0), 0.0)


def lives_in_a(bins):
    return 10.0 * (bins[:, 7] <= 1)


def nothing(bins):
    return 0.0


def test_the_same_rule_at_the_same_tilt_earns_the_same_to_the_bit():
    match = matched([braid("x")], braid("x"), lesson(), (0.3, 0.3), rows_of_days(lives_in_a), 20.0)
    assert (match.champion_bps, match.champion_ci95) == (match.challenger_bps, match.challenger_ci95)
    assert not match.won
    assert match.champion_bps > 0.0


def test_both_are_sums_over_the_same_windows_days_and_weights():
    table = rows_of_days(lives_in_narrow, days=5)
    match = matched([braid("x"), braid("y", B)], braid("x"), lesson(rule=NARROW), (0.4, 0.2), table, 3.0)
    left = unpatched_residuals(table, [B])
    g = day_weights(5, 3.0)[table.day]
    leads, figures = [], []
    for residual, weight in zip(left.r, left.weight, strict=True):
        total = (g * weight * table.covered(A)).sum()  # NARROW lies in A, so A is what either covers
        told = []
        for rule, tilt in ((A, 0.4), (NARROW, 0.2)):
            gain = tilt * residual * table.covered(rule)
            want = (g * gain).sum() / total
            held = np.bincount(table.lane, weights=weight * table.covered(A), minlength=table.n_lanes) > 0.0
            n, off = int(held.sum()), g * (gain - want * weight * table.covered(A))
            blocks = [off[table.lane == k].sum() for k in range(table.n_lanes)]
            half = stdtrit(n - 1, 0.975) * np.sqrt(n / (n - 1) * np.square(blocks).sum()) / total
            told += [want, want - half, want + half]
        figures.append(told)
        leads.append(told[4] - told[2])
    (champion, low, high, challenger, low_2, high_2) = figures[int(np.argmin(leads))]
    assert (match.champion_bps, *match.champion_ci95) == pytest.approx((champion, low, high), rel=1e-7)
    assert (match.challenger_bps, *match.challenger_ci95) == pytest.approx((challenger, low_2, high_2), rel=1e-7)


def test_a_challenger_that_earns_more_where_the_champion_loses_replaces_it():
    board = [braid("x", delta_wanted=0.3, monitor=monitor(blocks=7))]
    better = lesson(night=DAY, rule=NARROW)
    after = {b.lesson_id: b for b in night(board, [better], rows_of_days(lives_in_narrow)).braids}
    assert (after["lesson x"].state, after["lesson x"].ended_on) == ("sunset", DAY)
    assert "a challenger won: on matched windows it earns" in after["lesson x"].reason
    assert after[better.lesson_id].state == "active"
    assert after[better.lesson_id].monitor.blocks == 0, "n is inherited on the same axes alone"


def test_a_challenger_that_covers_less_of_the_same_effect_is_kept_with_both_numbers_and_changes_nothing():
    board = [braid("x")]
    worse = lesson(night=DAY, rule=NARROW, claim_bps=30.0)  # the larger effect in the conflict programme
    woven = night(board, [worse], rows_of_days(lives_in_a))
    after = {b.lesson_id: b for b in woven.braids}
    assert after["lesson x"].state == "active"
    assert (after[worse.lesson_id].state, after[worse.lesson_id].patch) == ("archived", Patch())
    assert "champion x stands: on matched windows it earns" in after[worse.lesson_id].reason
    assert [b.braid_id for b in woven.priors.braids] == ["x"]


def test_rules_that_overlap_less_are_no_rivals_and_add():
    board = [braid("x")]
    other = lesson(night=DAY, rule=NARROW)
    apart = replace(MANIFEST, weave=replace(MANIFEST.weave, max_overlap=0.9))
    woven = night(board, [other], rows_of_days(lives_in_narrow), apart)
    assert {b.state for b in woven.braids} == {"active"}
    table, bins = rows_of_days(nothing, 1), np.full((8, 12), 3, dtype=np.uint8)
    assert rivals(board, other, table, bins, 0.8) == []
    assert rivals(board, other, table, bins, 0.7) == board
    proposed = [braid("x", state="proposed", patch=Patch())]
    assert rivals(proposed, other, table, bins, 0.7) == []
    inside = np.zeros((8, 12), dtype=np.uint8)
    assert rivals(board, other, table, inside, 0.8) == board, "on the last day the two rules are one"
    assert rivals(board, other, None, bins, 0.0) == []


def test_one_of_two_champions_that_stands_is_enough():
    near = Rule.of(Literal(7, 0, 1), Literal(1, 0, 2))
    board = [braid("x"), braid("y", near, delta_wanted=0.05, target=Patch(-0.01, 1.005))]
    better = lesson(night=DAY, rule=NARROW)
    woven = night(board, [better], rows_of_days(lives_in_a), replace(WIDE, weave=replace(WIDE.weave, max_overlap=0.5)))
    after = {b.lesson_id: b for b in woven.braids}
    assert after[better.lesson_id].state == "archived"
    assert after["lesson y"].state != "sunset" or "conflict" in after["lesson y"].reason


def test_without_windows_the_champion_stands():
    board = [braid("x")]
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board))
    same = lesson(night=DAY, ci95=(90.0, 95.0))
    woven = weave_night(previous, board, [same], {"d": day_of()}, NIGHT_MS, MANIFEST, NightInputs(Evidence(DAY)))
    after = {b.lesson_id: b for b in woven.braids}
    assert (after["lesson x"].state, after[same.lesson_id].state) == ("active", "archived")
    assert "no windows to match" in after[same.lesson_id].reason


def test_in_equal_worlds_a_challenger_hardly_ever_wins():
    """Both rules earn nothing: separation of two 95 % intervals is rarer than one in twenty."""
    won = 0
    for seed in range(60):
        table = rows_of_days(nothing, days=10, seed=seed)
        won += matched([braid("x")], braid("x"), lesson(rule=NARROW), (0.3, 0.3), table, 20.0).won
    assert won <= 2
