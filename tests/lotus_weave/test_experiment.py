"""Experiments on proposals: how far the floor rises, what they draw, how each of their ends comes about."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from weave_boards import MANIFEST, A, B, day_of, lesson, rows, rows_of_days

from lotus.learning.pooled import REASON
from lotus.learning.rows import DetectorRows
from lotus.priors.types import EXPLORATION, IDENTITY, Literal, Patch, Rule, priors_0, priors_version
from lotus.timebase import DAY_MS, day_start_ms, next_day
from lotus.weave.braid import Braid
from lotus.weave.experiment import Experiment, highest_floor, is_on, observed
from lotus.weave.night import NightInputs, WovenNight, weave_night
from lotus.weave.review import ReviewAct
from lotus.weave.watchdog import Evidence
from lotus_store.ledger.bodies import from_body, to_plain

DAY = "2026-01-29"  # the last of twelve days of `rows_of_days`
SCARCE = -3.5  # logit of publication in the rule


def proposal(**changes: object):
    given: dict[str, object] = {"grade": "C", "state": "MODEL_ONLY", "reason": REASON, "lcb_bps": 6.0}
    return lesson(**(given | changes))


def scarce(made: DetectorRows, rule: Rule = A, floor: float = 0.0) -> DetectorRows:
    """Rows whose rule is hardly published, but for a floor of the propensity."""
    rng, inside = np.random.default_rng(5), made.covered(rule)
    u0 = np.where(inside, SCARCE, made.u0)
    p = np.where(inside, np.maximum(floor, 1.0 / (1.0 + np.exp(-u0))), made.p)
    published = rng.random(len(p)) < p
    paid = np.where(published, made.payoff_p, np.nan)
    return replace(made, u0=u0, p=p, h=p * (1 - p), f=p * (1 - p) * made.payoff_p, published=published, payoff_y=paid)


def nothing(bins: np.ndarray) -> np.ndarray:
    return np.zeros(len(bins))


def ten_in_a(bins: np.ndarray) -> np.ndarray:
    return 10.0 * (bins[:, 7] <= 1)


def night(
    board: Sequence[Braid] = (),
    proposals: Sequence[object] = (),
    lessons: Sequence[object] = (),
    today: Mapping[str, DetectorRows] | None = None,
    day: str = DAY,
    manifest: object = MANIFEST,
    **given: object,
) -> WovenNight:
    at_ms = day_start_ms(next_day(day)) + 2 * 3_600_000
    acting = tuple(b.active() for b in board if b.in_force)
    previous = priors_version("b", at_ms - DAY_MS, acting) if acting else priors_0("b")
    window = {d: scarce(rows_of_days(nothing, seed=k)) for k, d in enumerate("def")}
    evidence = Evidence(day, today or {}, window, given.pop("alarms", {}))  # type: ignore[arg-type]
    inputs = NightInputs(evidence, proposals=tuple(proposals), **given)  # type: ignore[arg-type]
    days = {d: day_of(k) for k, d in enumerate("def")}
    return weave_night(previous, board, lessons, days, at_ms, manifest, inputs)  # type: ignore[arg-type]


def begun(**changes: object) -> Braid:
    (made,) = night(proposals=[proposal(**changes)]).braids
    return made


def ended(woven: WovenNight) -> tuple[str, str]:
    (braid,), (row,) = (b for b in woven.braids if b.experiment), woven.experiments
    assert (braid.state, braid.patch, woven.priors.braids) == ("sunset", IDENTITY, ())
    assert braid.experiment is not None
    assert braid.experiment.found == row.found
    return row.found, row.reason


def test_the_highest_floor_spends_what_is_allowed_and_no_more():
    rng = np.random.default_rng(1)
    for _ in range(200):
        p = rng.uniform(0.02, 0.9, rng.integers(1, 60))
        allowed, most = float(rng.uniform(0.0, 2.0)), float(rng.uniform(0.02, 0.3))
        floor = highest_floor(p, allowed, most)
        added = float(np.maximum(p, floor).sum() - p.sum()) if floor > p.min() else 0.0
        assert added <= allowed + 1e-6
        assert floor == most or floor <= p.min() or added == pytest.approx(allowed, abs=1e-6)
    assert highest_floor(np.empty(0), 0.0, 0.15) == 0.15


def test_a_proposal_becomes_a_field_braid_that_raises_the_floor_in_its_rule_and_moves_no_score():
    made, manifest = begun(), MANIFEST
    (active,) = night(proposals=[proposal()]).priors.braids
    state = made.experiment
    assert state is not None
    assert not state.slow
    assert (active.rule, active.patch, active.scope) == (A, made.patch, "cross")
    mult = state.floor / manifest.score.epsilon
    (knob,) = active.patch.knobs
    assert (knob.key, knob.mult) == (EXPLORATION, pytest.approx(mult, rel=1e-8))
    assert active.patch == Patch(knobs=(knob,))
    assert 1.0 < mult <= manifest.weave.experiment_floor / manifest.score.epsilon
    assert state.rise >= 1.1
    assert from_body(to_plain(made), Braid) == made
    window = scarce(rows_of_days(nothing))
    for k in range(12):
        p = window.p[window.covered(A) & (window.day == k)]
        assert (np.maximum(p, state.floor) - p).sum() <= 0.01 * (window.day == k).sum() + 1e-6


def test_two_run_at_once_each_on_a_detector_of_its_own_and_the_others_wait_with_the_reason():
    where = zip("ddef", (A, B, A, A), strict=True)
    asked = [proposal(detector_id=d, m_nats=9.0 - k, rule=r) for k, (d, r) in enumerate(where)]
    woven = night(proposals=asked)
    assert [b.detector_id for b in woven.braids] == ["d", "e"]
    assert [(r.detector_id, r.found, r.reason) for r in woven.experiments] == [
        ("d", "", "experiment on a proposal"),
        ("d", "not taken up", "one runs on its detector"),
        ("e", "", "experiment on a proposal"),
        ("f", "not taken up", "2 experiments run"),
    ]


def test_without_proposals_or_with_the_switch_off_no_bit_moves():
    plain, off = night(), replace(MANIFEST, weave=replace(MANIFEST.weave, experiment_share=0.0))
    assert (plain.experiments, plain.braids) == ((), ())
    unasked = night(proposals=[proposal()], manifest=off)
    assert (unasked.priors, unasked.braids, unasked.experiments) == (plain.priors, (), ())
    executed = night(proposals=[proposal(reason="only 60% of the published windows were executed")])
    assert executed.priors == plain.priors


def test_a_rule_that_is_published_often_has_no_room_in_the_budget():
    woven = night(proposals=[proposal(rule=Rule.of(Literal(3, 0, 2)))])
    assert woven.braids == ()
    assert woven.experiments[0].reason.startswith("a day's budget leaves 1.0")


def run(effect: Callable[[np.ndarray], np.ndarray], nights: int = 31) -> tuple[int, WovenNight]:
    """Let an experiment run in a world until it ends; return the nights it took."""
    board, day = [begun()], DAY
    for k in range(nights):
        day, floor = next_day(day), board[0].experiment.floor if board[0].experiment else 0.0
        woven = night(board, today={"d": scarce(rows(day, effect, n=3000), floor=floor)}, day=day)
        board = list(woven.braids)
        if board[0].state != "active":
            return k + 1, woven
    raise AssertionError("it runs on")


def test_a_false_proposal_is_refuted_by_its_e_process_and_not_tried_again_in_its_time():
    nights, woven = run(nothing)
    assert ended(woven)[0] == "refuted"
    assert nights < 30
    assert woven.alerts[0].kind == "reverted"
    again = night(woven.braids, proposals=[proposal()], day=next_day(DAY, nights + 1))
    assert again.experiments[-1].reason.startswith("tried by")
    assert again.priors.braids == ()


def test_a_true_rule_is_not_refuted_and_ends_by_its_time_or_its_budget():
    _, woven = run(ten_in_a)
    found, reason = ended(woven)
    (row,) = woven.experiments
    assert found == "ran out", reason
    assert row.e_against < 20.0
    assert 0.0 < row.most_share <= 0.012


def test_a_lesson_on_its_windows_promotes_it_and_one_elsewhere_does_not():
    learned = lesson(lesson_id="", night=DAY)
    board = [begun()]
    elsewhere = night(board, lessons=[lesson(rule=Rule.of(*B.literals), sign=-1)], day=next_day(DAY))
    assert elsewhere.experiments[0].found == ""
    woven = night(board, lessons=[learned], day=next_day(DAY))
    assert woven.experiments[0].found == "promoted"
    assert learned.lesson_id in woven.experiments[0].reason
    taught = [b for b in woven.braids if b.braid_type == "micro"]
    assert [b.state for b in taught] == ["active"], "an experiment does not bar its lesson"


def test_the_board_an_alarm_and_the_budget_end_it():
    made, day = begun(), next_day(DAY)
    act = ReviewAct("a", "b", DAY, "reject", made.braid_id, "ann", "too_costly")
    assert ended(night([made], day=day, acts=(act,))) == ("stopped", "rejected by ann: too_costly")
    assert ended(night([made], day=day, alarms={"d": "z 9"}))[0] == "stopped"
    changed = replace(act, kind="attenuate", factor=0.5)
    assert night([made], day=day, acts=(changed,)).acts[0].text.startswith("an experiment can be stopped")
    spent = replace(made, experiment=replace(made.experiment, drawn=1e9))
    found, reason = ended(night([spent], day=day))
    assert (found, "its budget" in reason) == ("ran out", True)


def test_a_slow_rule_alternates_by_a_draw_known_before_the_day():
    days = [is_on("x", k, True, MANIFEST) for k in range(400)]
    assert 150 < sum(days) < 250
    assert days == [is_on("x", k, True, MANIFEST) for k in range(400)]
    assert all(is_on("x", k, False, MANIFEST) for k in range(40))
    slow = replace(begun(), experiment=replace(begun().experiment, slow=True), monitor=None)
    seen, board, day = set(), [slow], DAY
    for _ in range(8):
        day = next_day(day)
        board = list(night(board, day=day).braids)
        seen.add(board[0].patch == IDENTITY)
        assert board[0].in_force
    assert seen == {True, False}


def test_a_day_counts_once_and_only_what_the_floor_added():
    before = Experiment(0.1, 3.0, 50.0, False, last_day=DAY)
    of_day = scarce(rows(next_day(DAY), nothing), floor=0.1)
    after = observed("x", before, of_day, A, MANIFEST)
    usual = 1.0 / (1.0 + np.exp(-SCARCE))
    assert after.drawn == pytest.approx((0.1 - usual) * of_day.covered(A).sum(), rel=1e-6)
    assert after.most_share == pytest.approx(after.drawn / len(of_day), rel=1e-6)
    assert (after.on.days, after.off.days) == (1, 0)
    assert observed("x", after, of_day, A, MANIFEST) == after
