"""The watchdog between nights, and what it hears from a second opinion: pure boards."""

from dataclasses import replace

import pytest
from weave_boards import MANIFEST, NIGHT_MS, WEAVE, B, braid, day_of, monitor

from lotus.priors.types import IDENTITY, priors_version
from lotus.timebase import DAY_MS, HOUR_MS
from lotus.weave.night import NightInputs, weave_night
from lotus.weave.sweep import sweep
from lotus.weave.watchdog import Evidence, extended, judge, unextended, watch_over

DAY = "2026-01-18"
FROM = NIGHT_MS + 5 * HOUR_MS


def version(board, at_ms=NIGHT_MS):
    return priors_version("b", at_ms, tuple(b.active() for b in board if b.in_force))


def test_nothing_is_done_while_everything_lives():
    board = [braid("x"), braid("y", B)]
    assert sweep(version(board), board, DAY, {}, FROM, WEAVE) is None


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"expires_at_ms": FROM - HOUR_MS}, "expired"),
        ({"expires_at_ms": FROM}, "expired"),
        ({"monitor": monitor(peak=20.0)}, "reverted"),
        ({"dry_days": WEAVE.dry_days}, "dry"),
    ],
)
def test_what_is_over_ends_within_the_hour_and_nothing_else_moves(changes, kind):
    meta = braid("m", braid_type="meta", op="INTERSECT", parents=("x", "y"), monitor=None)
    board = [braid("x", **changes), braid("y", B), braid("z", detector_id="e"), meta]
    done = sweep(version(board), board, DAY, {}, FROM, WEAVE)
    assert done is not None
    after = {b.braid_id: b for b in done.braids}
    assert [(a.braid_id, a.kind) for a in done.alerts] == [("x", kind), ("m", "orphaned")]
    assert (after["x"].state, after["x"].patch) == ("sunset", IDENTITY)
    assert {e.braid_id for e in done.events} == {"x", "m"}
    assert [after[n] for n in "yz"] == board[1:3]
    assert [b.braid_id for b in done.priors.braids] == ["y", "z"]
    assert done.priors.effective_from_ms == FROM
    assert sweep(done.priors, done.braids, DAY, {}, FROM + HOUR_MS, WEAVE) is None


def test_a_life_that_ends_later_in_the_day_waits():
    board = [braid("x", expires_at_ms=FROM + 1)]
    assert sweep(version(board), board, DAY, {}, FROM, WEAVE) is None


def test_the_audit_alarm_of_the_night_still_holds_and_a_dead_braid_brought_back_by_a_rollback_ends_again():
    board = [braid("x", state="sunset", patch=IDENTITY, monitor=monitor(peak=25.0)), braid("y", B, detector_id="e")]
    old = version([braid("x"), board[1]])
    done = sweep(old, board, DAY, {"e": "z 9"}, FROM, WEAVE)
    assert done is not None
    assert [(a.braid_id, a.kind) for a in done.alerts] == [("x", "reverted"), ("y", "audit")]
    assert done.priors.braids == ()


def test_the_next_night_goes_on_from_what_is_left():
    board = [braid("x", expires_at_ms=FROM), braid("y", B)]
    done = sweep(version(board), board, DAY, {}, FROM, WEAVE)
    assert done is not None
    night = weave_night(
        done.priors, done.braids, [], {"d": day_of()}, NIGHT_MS + DAY_MS, MANIFEST, NightInputs(Evidence("2026-01-19"))
    )
    after = {b.braid_id: b for b in night.braids}
    assert (after["x"].state, after["x"].reason) == ("archived", "sunset over, all children archived")
    assert after["y"].state == "active"
    assert not night.alerts


def test_a_second_opinion_that_disagrees_is_told_bars_the_extension_and_reverts_nothing():
    strong = monitor(gain_sum=30.0, gain_square=25.0, last_day=DAY)
    own = braid("x", expires_at_ms=NIGHT_MS + DAY_MS, monitor=strong)
    assert extended(own, WEAVE) is not None
    heard = Evidence(DAY, opinions={"lesson x": "two estimates disagree", "lesson y": ""})
    (after,), (alert,) = watch_over([own], heard, NIGHT_MS, WEAVE)
    assert (alert.kind, alert.braid_id, alert.reason) == ("disputed", "x", "two estimates disagree")
    assert (after.state, after.patch, after.tags) == ("active", own.patch, ("disputed",))
    assert extended(after, WEAVE) is None
    assert unextended(after, WEAVE) == "a second opinion disagrees"
    kept, told = judge([after], Evidence(DAY), NIGHT_MS, WEAVE)
    assert (kept, told) == ([after], [])
    (ended,), (last,) = watch_over([after], Evidence(DAY), NIGHT_MS + DAY_MS, WEAVE)
    assert (ended.state, last.kind) == ("sunset", "expired")
    (agreed,), none_told = watch_over([after], Evidence(DAY, opinions={"lesson x": ""}), NIGHT_MS, WEAVE)
    assert (agreed, none_told) == (own, [])


def test_an_opinion_concerns_micro_braids_in_force_alone():
    board = [
        braid("x", state="proposed", patch=IDENTITY),
        braid("m", braid_type="meta", op="INTERSECT", parents=("y", "z"), lesson_id="lesson x", monitor=None),
        braid("y", B),
        replace(braid("z"), detector_id="d"),
    ]
    heard = Evidence(DAY, opinions={"lesson x": "two estimates disagree"})
    assert judge(board, heard, NIGHT_MS, WEAVE) == (board, [])


def test_alerts_carry_the_scope_of_their_braid():
    board = [braid("x", expires_at_ms=0, scope="tr"), braid("y", B, expires_at_ms=0)]
    _, alerts = watch_over(board, Evidence(DAY), NIGHT_MS, WEAVE)
    assert [a.scope for a in alerts] == ["tr", "sig"]
