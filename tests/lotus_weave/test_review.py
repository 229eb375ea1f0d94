"""Acts of reviewers, rollback and knobs: what they may do, and what they may not."""

from dataclasses import replace

import pytest
from weave_boards import MANIFEST, NIGHT_MS, WEAVE, B, braid, day_of, lesson, monitor

from lotus.priors.knobs import knob_values
from lotus.priors.types import IDENTITY, ActiveBraid, Knob, Patch, Rule, from_json, priors_version, to_json
from lotus.timebase import DAY_MS
from lotus.weave.contraction import contract, night_moves
from lotus.weave.night import NightInputs, weave_night
from lotus.weave.review import ReviewAct, reviewed, reviewers
from lotus.weave.watchdog import Evidence

DAY = "2026-01-18"


def act(kind: str, target: str = "x", author: str = "ann", **changes: object) -> ReviewAct:
    return ReviewAct(f"{kind} {target} {author}", "b", "2026-01-17", kind, target, author, **changes)  # type: ignore


def woven(board, acts=(), lessons=(), day=DAY, previous=None, at_ms=NIGHT_MS):
    before = previous or priors_version("b", at_ms - DAY_MS, tuple(b.active() for b in board if b.in_force))
    inputs = NightInputs(Evidence(day), tuple(acts))
    return weave_night(before, board, list(lessons), {"d": day_of()}, at_ms, MANIFEST, inputs)


def test_a_rejection_takes_the_patch_and_holds_until_an_approval():
    night = woven([braid("x")], [act("reject", reason_code="implausible")])
    assert night.braids[0].state == "sunset"
    assert night.braids[0].reason == "rejected by ann: implausible"
    assert night.priors.braids == ()
    again = woven(night.braids, [], [lesson(night="2026-01-19")], "2026-01-19", night.priors, NIGHT_MS + DAY_MS)
    assert "approval" in next(b.reason for b in again.braids if b.braid_id != "x")
    assert again.priors.braids == ()
    lifted = woven(
        night.braids, [act("approve")], [lesson(night="2026-01-19")], "2026-01-19", night.priors, NIGHT_MS + DAY_MS
    )
    assert len(lifted.priors.braids) == 1


def test_an_approval_raises_no_grade_and_puts_nothing_in_force():
    poor = braid("x", grade="C", state="proposed", target=IDENTITY, patch=IDENTITY)
    night = woven([poor], [act("approve")])
    assert (night.braids[0].grade, night.braids[0].state) == ("C", "proposed")
    assert night.priors.braids == ()


def test_attenuation_and_raised_bounds_move_the_goal_within_the_nightly_limits():
    weak = strong = [braid("x", target=Patch(-0.12, 1.06), patch=Patch(-0.12, 1.06))]
    for i in range(20):
        said = [act("attenuate", factor=0.5)] if i == 0 else []
        weak = woven(weak, said, at_ms=NIGHT_MS + i * DAY_MS).braids[:1]
        said = [act("raise_cap", factor=1.1)] if i == 0 else []
        strong = woven(strong, said, at_ms=NIGHT_MS + i * DAY_MS).braids[:1]
    assert weak[0].patch.theta_delta == pytest.approx(-0.06, abs=1e-6)
    assert weak[0].patch.phi_mult == pytest.approx(1.06**0.5, abs=1e-6)
    assert strong[0].patch.phi_mult == pytest.approx(1.06**1.1, rel=1e-6)
    assert -0.12 * 1.1 - 1e-9 <= strong[0].patch.theta_delta < 0.0


@pytest.mark.parametrize(
    ("acts", "text"),
    [
        ([act("raise_cap", factor=1.2)], "at most x1.1"),
        ([act("raise_cap", factor=1.08), act("raise_cap", author="bob", factor=1.08)], "at most x1.1"),
        ([act("attenuate", factor=0.0)], "0 < lambda"),
        ([act("extend")], "needed"),
        ([act("reject", "gone", reason_code="other")], "no braid gone"),
    ],
)
def test_acts_beyond_their_limits_are_refused_with_the_number(acts, text):
    _, outcomes = reviewed([braid("x")], acts, DAY, WEAVE)
    assert not outcomes[-1].accepted
    assert text in outcomes[-1].text


def test_a_time_to_live_is_extended_once_and_only_with_evidence():
    sure = braid("x", monitor=monitor(gain_sum=9.0, gain_square=9.0))
    (longer,), (first,) = reviewed([sure], [act("extend")], DAY, WEAVE)
    assert first.accepted
    assert longer.expires_at_ms == sure.expires_at_ms + WEAVE.extension_days * DAY_MS
    _, (second,) = reviewed([longer], [act("extend", author="bob")], DAY, WEAVE)
    assert (second.accepted, "before" in second.text) == (False, True)


@pytest.mark.parametrize(("said", "lift"), [("a", "b"), ("b", "a")])
def test_an_act_that_waits_is_left_out_by_an_approval_that_names_it_in_any_order(said, lift):
    rejection = replace(act("reject", reason_code="other"), act_id=said)
    lifting = replace(act("approve", author="bob", reason_code=f"lifts {said}"), act_id=lift)
    night = woven([braid("x")], [rejection, lifting])
    assert (night.braids[0].state, night.braids[0].tags) == ("active", ())
    assert night.priors == woven([braid("x")]).priors
    board, outcomes = reviewed([braid("x")], [rejection, lifting], DAY, WEAVE)
    assert {o.act.kind: (o.accepted, o.text) for o in outcomes} == {
        "reject": (False, "lifted by bob before it was applied"),
        "approve": (True, "the reject that it names was left out"),
    }
    assert [r.approvals for r in reviewers(outcomes, board)] == [0, 0], "it says nothing about the braid"


def test_a_lift_can_be_lifted_and_names_an_act_of_its_own_braid():
    rejection = replace(act("reject", reason_code="other"), act_id="r")
    first = replace(act("approve", author="bob", reason_code="lifts r"), act_id="f")
    second = replace(act("approve", author="eve", reason_code="lifts f"), act_id="s")
    (ended,), _ = reviewed([braid("x")], [rejection, first, second], DAY, WEAVE)
    assert ended.state == "sunset"
    stranger = replace(act("approve", "y", reason_code="lifts r"), act_id="t")
    (ended, other), _ = reviewed([braid("x"), braid("y", B)], [rejection, stranger], DAY, WEAVE)
    assert (ended.state, other.tags) == ("sunset", ("approved",))
    ring = [replace(first, act_id=a, reason_code=f"lifts {b}") for a, b in ("ab", "bc", "ca")]
    assert len(reviewed([braid("x")], ring, DAY, WEAVE)[1]) == 3, "whatever a ring means, it ends"


def test_reviewers_are_measured():
    board = [braid("x", tags=("approved", "reverted")), braid("y", B, effective_from_ms=NIGHT_MS - 2 * DAY_MS)]
    _, outcomes = reviewed(board, [act("approve"), act("approve", "y"), act("reject", "y", "bob")], DAY, WEAVE)
    ann, bob = reviewers(outcomes, board)
    assert (ann.author, ann.approvals, ann.false_promotions) == ("ann", 2, 1)
    assert (bob.acts, bob.approvals, bob.diversity) == (1, 0, 0.0)
    assert ann.diversity == 1.0


def test_the_board_follows_a_rollback_and_goes_on_from_there():
    first = woven([], lessons=[lesson(), lesson(rule=B)])
    later = woven(first.braids, day="2026-01-19", previous=first.priors, at_ms=NIGHT_MS + DAY_MS)
    assert later.priors.braids != first.priors.braids
    ended = woven(later.braids, [act("reject", first.braids[0].braid_id, reason_code="other")], (), "2026-01-20",
                  later.priors, NIGHT_MS + 2 * DAY_MS)  # fmt: skip
    assert len(ended.priors.braids) == 1
    back = priors_version("b", NIGHT_MS + 2 * DAY_MS + 60_000, first.priors.braids)
    after = woven(ended.braids, (), (), "2026-01-21", back, NIGHT_MS + 3 * DAY_MS)
    assert {b.braid_id for b in after.priors.braids} == {b.braid_id for b in first.priors.braids}
    old = {b.braid_id: b.patch for b in back.braids}
    for b in after.priors.braids:
        assert abs(b.patch.theta_delta - old[b.braid_id].theta_delta) <= WEAVE.night_theta + 1e-9
    assert all(b.state == "active" for b in after.braids)


def test_a_synthetic_policy_knob_lives_by_the_same_rules():
    target = Patch(knobs=(Knob("policy:stop_width", 1.05),))
    board = [braid("k", scope="dm", target=target, patch=IDENTITY, delta_wanted=0.0)]
    for i in range(12):
        night = woven(board, at_ms=NIGHT_MS + i * DAY_MS)
        board = list(night.braids)
        if i == 0:
            (knob,) = night.priors.braids[0].patch.knobs
            assert 1.0 < knob.mult <= 1.0 + WEAVE.night_phi + 1e-9
    (knob,) = night.priors.braids[0].patch.knobs
    assert knob.mult == pytest.approx(1.05, abs=1e-4)
    inside, outside = [0] * 12, [3] * 12
    at = NIGHT_MS + 11 * DAY_MS
    assert knob_values(night.priors, "dm", "d", inside, at, WEAVE) == {"policy:stop_width": pytest.approx(knob.mult)}
    assert knob_values(night.priors, "dm", "d", outside, at, WEAVE) == {}
    assert knob_values(night.priors, "tr", "d", inside, at, WEAVE) == {}
    assert from_json(to_json(night.priors)) == night.priors
    dead = woven([replace(board[0], monitor=monitor(peak=30.0))], at_ms=at + DAY_MS, previous=night.priors)
    assert dead.priors.braids == ()


def test_knobs_contract_and_their_product_is_capped():
    one, two = Patch(knobs=(Knob("policy:a", 1.06),)), Patch(knobs=(Knob("policy:b", 0.95),))
    step = contract(one, two, WEAVE)
    assert [k.key for k in step.knobs] == ["policy:a", "policy:b"]
    assert step.knobs[0].mult == pytest.approx(1.06**0.5)
    (moved,) = night_moves([IDENTITY], [Patch(knobs=(Knob("policy:a", 1.06),))], WEAVE)
    assert moved.knobs[0].mult <= 1.0 + WEAVE.night_phi + 1e-9
    many = tuple(
        ActiveBraid(f"{i}", "micro", "d", 30, Rule(), Patch(knobs=(Knob("policy:a", 1.06),)), scope="dm")
        for i in range(9)
    )
    assert knob_values(priors_version("b", 0, many), "dm", "d", [0] * 12, 5, WEAVE) == {
        "policy:a": pytest.approx(WEAVE.phi_total)
    }
