"""The watchdog: what takes a patch away, at once, and what does not; who may come back and when."""

from dataclasses import replace

import numpy as np
import pytest
from weave_boards import MANIFEST, NIGHT_MS, WEAVE, A, B, braid, day_of, lesson, monitor, rows, rows_of_days

from lotus.priors.types import IDENTITY, Literal, Patch, Rule, priors_version
from lotus.timebase import DAY_MS, next_day
from lotus.weave.night import NightInputs, WovenNight, weave_night
from lotus.weave.watchdog import Evidence, watch_over

DAY = "2026-01-18"


def none(bins):
    return 0.0


def ten_in_a(bins):
    return 10.0 * (bins[:, 7] <= 1)


def night(board, lessons=(), at_ms=NIGHT_MS, **inputs: object) -> WovenNight:
    evidence = inputs.pop("evidence", Evidence(DAY))
    previous = priors_version("b", at_ms - DAY_MS, tuple(b.active() for b in board if b.in_force))
    given = NightInputs(evidence=evidence, **inputs)  # type: ignore[arg-type]
    return weave_night(previous, board, list(lessons), {"d": day_of(), "e": day_of(4)}, at_ms, MANIFEST, given)


def test_a_lesson_that_died_is_reverted_to_the_identity_at_once_and_is_told():
    board, day, told = [braid("x")], "2026-01-17", []
    for i in range(40):
        day = next_day(day)
        woven = night(board, at_ms=NIGHT_MS + i * DAY_MS, evidence=Evidence(day, {"d": rows(day, none)}))
        board, told = list(woven.braids), woven.alerts
        if told:
            break
    (alert,) = told
    assert (alert.kind, alert.braid_id) == ("reverted", "x")
    assert "20 reverts" in alert.reason
    assert (board[0].state, board[0].patch, board[0].ended_on) == ("sunset", IDENTITY, day)
    assert woven.priors.braids == ()
    assert i < 20
    assert [e.new_state for e in woven.events] == ["sunset"]


def test_a_lesson_that_lives_is_kept_and_extended_once_then_expires():
    own = monitor(claim_bps=4.0)  # over a baseline that holds the rule itself on half of the windows, 10 bps are 5
    board, day, kinds = [braid("x", expires_at_ms=NIGHT_MS + 25 * DAY_MS, monitor=own)], "2026-01-17", []
    for i in range(58):
        day = next_day(day)
        woven = night(board, at_ms=NIGHT_MS + i * DAY_MS, evidence=Evidence(day, {"d": rows(day, ten_in_a)}))
        board = list(woven.braids)
        kinds += [(i, a.kind) for a in woven.alerts]
    assert kinds == [(25, "extended"), (55, "expired")]
    assert board[0].monitor.blocks == 4 * 56
    assert board[0].monitor.peak < 20.0
    assert board[0].state == "archived", "a sunset without children is archived in a later night"


def test_no_extension_without_new_evidence():
    thin = braid("x", expires_at_ms=NIGHT_MS)
    (after,), (alert,) = watch_over([thin], Evidence(DAY), NIGHT_MS, WEAVE)
    assert (after.state, alert.kind) == ("sunset", "expired")


def test_support_that_dries_up_reverts():
    board, day = [braid("x")], "2026-01-17"
    for i in range(WEAVE.dry_days):
        day = next_day(day)
        board, alerts = watch_over(board, Evidence(day), NIGHT_MS + i * DAY_MS, WEAVE)
    assert [a.kind for a in alerts] == ["dry"]
    assert board[0].state == "sunset"
    wet, none_told = watch_over([replace(braid("y"), dry_days=9)], Evidence(DAY, {"d": rows(DAY, none)}), 0, WEAVE)
    assert (wet[0].dry_days, none_told) == (0, [])


def test_an_audit_alarm_takes_the_lessons_of_that_detector():
    board = [braid("x"), braid("y", B, detector_id="e")]
    woven = night(board, evidence=Evidence(DAY, alarms={"e": "z 9.0"}))
    assert {b.braid_id: b.state for b in woven.braids} == {"x": "active", "y": "sunset"}
    assert [(a.kind, a.braid_id) for a in woven.alerts] == [("audit", "y")]
    assert "z 9.0" in woven.alerts[0].reason


def days_from(first, effect, days=6):
    n = 1200 * days
    lane = np.arange(n) * 4 * days // n
    one = rows(first, effect, n=n)
    names = tuple(next_day(first, k) for k in range(days))
    return replace(one, days=names, day=lane // 4, lane=lane, block=lane % 4, lane_day=np.arange(4 * days) // 4)


def test_reverted_axes_return_only_by_a_lesson_of_a_later_night_for_which_later_days_speak():
    dead = braid("x", monitor=monitor(peak=25.0, last_day=DAY))
    woven = night([dead], [lesson(night=DAY)])
    states = {b.lesson_id: (b.state, b.reason) for b in woven.braids}
    assert states["lesson x"][0] == "sunset"
    assert states[lesson(night=DAY).lesson_id][0] == "archived"
    assert "later day" in states[lesson(night=DAY).lesson_id][1]
    later = next_day(DAY, 6)
    back = lesson(night=later)
    for effect, since, state in (
        (ten_in_a, next_day(DAY), "active"),
        (none, next_day(DAY), "archived"),
        (ten_in_a, next_day(DAY, -5), "archived"),  # the days on which it was true do not bring it back
    ):
        evidence = Evidence(later, window={"d": days_from(since, effect)})
        again = night(woven.braids, [back], NIGHT_MS + 6 * DAY_MS, evidence=evidence)
        told = {b.lesson_id: b for b in again.braids}[back.lesson_id]
        assert told.state == state, told.reason
        assert told.state == "active" or told.reason.startswith(f"the same axes ended on {DAY}; t of the days since")


@pytest.mark.parametrize(("ended", "bar"), [("reverted", "archived"), ("expired", "archived"), ("dry", "active")])
def test_a_neighbour_of_what_ended_needs_later_days_too(ended, bar):
    over = braid("x", state="archived", tags=(ended,), ended_on=DAY, patch=IDENTITY)
    later = next_day(DAY, 6)
    inside = lesson(night=later, rule=Rule.of(Literal(7, 0, 1), Literal(1, 0, 2)))
    apart, other_way = lesson(night=later, rule=Rule.of(Literal(7, 2, 3))), lesson(night=later, sign=-1)
    for effect, one, state in (
        (none, inside, bar),
        (ten_in_a, inside, "active"),
        (none, apart, "active"),
        (none, replace(other_way, net_high_bps=-1.0).named(), "active"),
    ):
        evidence = Evidence(later, window={"d": days_from(next_day(DAY), effect)})
        told = {b.lesson_id: b for b in night([over], [one], NIGHT_MS + 6 * DAY_MS, evidence=evidence).braids}
        assert told[one.lesson_id].state == state, told[one.lesson_id].reason


def test_the_watchdog_is_exempt_from_the_nightly_limits_and_others_still_move_within_them():
    board = [
        braid("x", patch=Patch(-0.12, 1.06), monitor=monitor(peak=25.0)),
        braid("y", B, target=Patch(-0.12, 1.06), patch=IDENTITY),
    ]
    previous = priors_version("b", NIGHT_MS - DAY_MS, tuple(b.active() for b in board if b.in_force))
    woven = weave_night(previous, board, [], {"d": day_of()}, NIGHT_MS, MANIFEST, NightInputs(Evidence(DAY)))
    (acting,) = woven.priors.braids
    assert acting.braid_id == "y"
    assert abs(acting.patch.theta_delta) <= WEAVE.night_theta + 1e-9


def test_a_challenger_on_the_same_axes_inherits_the_monitor_of_its_champion():
    small = {"target": Patch(-0.01, 1.005), "delta_wanted": 0.05}
    champion = braid("x", monitor=monitor(blocks=7, sums=(1.0, 2.0, 3.0, 4.0, 5.0)), **small)
    window = {"d": rows_of_days(ten_in_a)}
    better = lesson(night=DAY, claim_bps=19.0)
    woven = night([champion], [better], evidence=Evidence(DAY, {}, window))
    heir = next(b for b in woven.braids if b.lesson_id == better.lesson_id)
    assert {b.braid_id: b.state for b in woven.braids}["x"] == "sunset"
    assert (heir.state, heir.monitor.blocks, heir.monitor.sums) == ("active", 7, (1.0, 2.0, 3.0, 4.0, 5.0))
    assert heir.monitor.claim_bps == 19.0
    kept = night([braid("x")], [lesson(night=DAY, claim_bps=19.0)], evidence=Evidence(DAY, {}, window))
    assert [b.state for b in kept.braids] == ["active", "archived"]
    again = night(kept.braids, [lesson(night=DAY, claim_bps=19.0)], evidence=Evidence(DAY, {}, window))
    assert len(again.braids) == 2, "the same lesson is taken up once"


def test_a_parent_in_its_sunset_waits_for_its_children():
    resting = braid("x", state="sunset", patch=IDENTITY)
    child = braid("m", braid_type="meta", op="INTERSECT", parents=("x", "y"), state="sunset", patch=IDENTITY)
    board, _ = watch_over([resting, child], Evidence(DAY), NIGHT_MS, WEAVE)
    assert [b.state for b in board] == ["sunset", "archived"]
    board, _ = watch_over(board, Evidence(DAY), NIGHT_MS, WEAVE)
    assert [b.state for b in board] == ["archived", "archived"]


def test_a_composition_ends_with_its_parent():
    meta = braid("m", braid_type="meta", op="INTERSECT", parents=("x", "y"), rule=A, monitor=None)
    board = [braid("x", expires_at_ms=NIGHT_MS), braid("y", B), meta]
    after, alerts = watch_over(board, Evidence(DAY), NIGHT_MS, WEAVE)
    assert {b.braid_id: b.state for b in after} == {"x": "sunset", "y": "active", "m": "sunset"}
    assert [a.kind for a in alerts] == ["expired", "orphaned"]


@pytest.mark.parametrize("times", [1, 2])
def test_a_night_that_is_run_again_ends_the_same(times):
    board = [braid("x"), braid("y", B)]
    evidence = Evidence(DAY, {"d": rows(DAY, ten_in_a)}, {"d": rows("2026-01-16", ten_in_a)})
    found = {repr(night(board, [lesson(night=DAY, rule=B, sign=-1)], evidence=evidence)) for _ in range(1 + times)}
    assert len(found) == 1
    seen = night(board, evidence=evidence)
    again = night(seen.braids, at_ms=NIGHT_MS, evidence=evidence)
    assert [b.monitor for b in again.braids] == [b.monitor for b in seen.braids], "a day is never taken twice"
