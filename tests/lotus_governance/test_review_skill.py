"""Reviewers after 30 days: who was right, the Brier score, regret, and what is not known yet."""

import numpy as np
import pytest

from lotus.governance.review_skill import ReviewValue, is_scored, judged_reviews, last_day, review_skills
from lotus.timebase import next_day
from lotus.weave.review import LIFTS, ReviewAct

DAY = "2026-01-31"


def act(name: str, kind: str = "approve", author: str = "ann", day: str = DAY, reason: str = "") -> ReviewAct:
    return ReviewAct(name, "main", day, kind, "b" * 32, author, reason)  # type: ignore[arg-type]


def month(name: str, bps: float, first: int = 1, days: int = 30, windows: int = 10) -> list[ReviewValue]:
    return [ReviewValue(name, next_day(DAY, first + k), windows, bps + (-1) ** k) for k in range(days)]


def test_approvals_of_what_pays_and_rejections_of_what_does_not_are_right() -> None:
    values = month("a", 2.0) + month("b", -2.0) + month("c", 2.0) + month("d", -2.0)
    acts = [(act("a"), 0.9), (act("b"), 0.8), (act("c", "reject", "bob"), 0.7), (act("d", "reject", "bob"), None)]
    judged = judged_reviews(acts, values, last_day(act("a")))
    assert [one.right for one in judged] == [True, False, False, True]
    assert (judged[0].days, judged[0].windows, judged[0].value_bps) == (30, 300, pytest.approx(60.0))
    assert judged[0].low < 60.0 < judged[0].high
    ann, bob = review_skills(judged, values)
    assert (ann.judged, ann.right, ann.said, ann.brier) == (2, 1, 2, pytest.approx((0.1**2 + 0.8**2) / 2))
    assert (bob.judged, bob.right, bob.said, bob.brier) == (2, 1, 1, pytest.approx(0.7**2))
    assert ann.regret_bps == bob.regret_bps == pytest.approx(0.0)
    assert ann.low < 0.0 < ann.high


def test_nothing_is_judged_before_its_time_or_from_days_outside_it() -> None:
    values = month("a", 5.0, days=60)
    assert judged_reviews([(act("a"), 1.0)], values, next_day(last_day(act("a")), -1)) == []
    (one,) = judged_reviews([(act("a"), 1.0)], [*values, ReviewValue("a", DAY, 9, 1e6)], "2026-12-31")
    assert (one.days, one.value_bps) == (30, pytest.approx(150.0))


def test_an_act_whose_braid_moved_nothing_is_neither_right_nor_wrong() -> None:
    values = month("a", 0.0, windows=0)
    judged = judged_reviews([(act("a"), 0.9), (act("z"), 0.9)], values, "2026-12-31")
    assert [one.right for one in judged] == [None, None]
    (ann,) = review_skills(judged, values)
    assert (ann.judged, ann.unknown, ann.right, ann.said, ann.brier) == (2, 2, 0, 0, None)


def test_only_approvals_and_rejections_have_an_outcome() -> None:
    assert [is_scored(act("a", kind)) for kind in ("approve", "reject", "extend", "freeze", "rollback")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert not is_scored(act("a", reason=f"{LIFTS}x"))


def test_the_score_is_proper_a_reviewer_gains_nothing_by_a_confidence_that_is_not_meant() -> None:
    """Of 400 acts seven in ten turn out right: saying .7 scores best of all."""
    rng = np.random.default_rng(5)
    acts = [act(f"{k}", day=DAY) for k in range(400)]
    values = [v for k, a in enumerate(acts) for v in month(a.act_id, 3.0 if rng.random() < 0.7 else -3.0, days=5)]
    scores = {}
    for said in (0.3, 0.5, 0.6, 0.7, 0.8, 0.95):
        (skill,) = review_skills(judged_reviews([(a, said) for a in acts], values, "2026-12-31"), values)
        scores[said] = skill.brier
    assert min(scores, key=lambda said: scores[said]) == 0.7
    assert scores[0.5] == 0.25
