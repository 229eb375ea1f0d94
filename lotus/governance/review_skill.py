"""How well reviewers judge: what the braids were worth in the 30 days after their acts, and how sure they said to be.

An approval is right where the braid added payoff in those days, a rejection where it would have added none. Regret:
what the approved lost and what the rejected would have added, bps. In the literature: Brier score (Brier 1950), a
proper score; .25 is what 'one half' scores. Acts of other kinds have no counterfactual and are not scored.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from lotus.curation.value import DaySum, over_days
from lotus.weave.review import LIFTS, ReviewAct

JUDGED_DAYS: Final = 30
APPROVE: Final = "approve"
SCORED: Final = (APPROVE, "reject")


@dataclass(frozen=True, slots=True)
class ReviewValue:
    """What a braid added on a learning day after an act, or would have added: windows that it moved, sum in bps."""

    act_id: str
    of_day: str
    windows: int
    value_bps: float


@dataclass(frozen=True, slots=True)
class JudgedReview:
    """An act after its 30 days: what the braid added with its 95 % interval over days (None below five), and the score.

    `right` is None where the braid moved no window. `regret_bps` is above 0 where the act cost payoff.
    """

    act: ReviewAct
    confidence: float | None
    days: int
    windows: int
    value_bps: float
    low: float | None
    high: float | None

    @property
    def right(self) -> bool | None:
        """Whether the act turned out right."""
        if not self.windows:
            return None
        return (self.value_bps > 0.0) == (self.act.kind == APPROVE)

    @property
    def regret_bps(self) -> float:
        """What the act cost: of an approval what the braid lost, of a rejection what it would have added."""
        return -self.value_bps if self.act.kind == APPROVE else self.value_bps


@dataclass(frozen=True, slots=True)
class ReviewSkill:
    """A reviewer over acts whose 30 days are over: how many, of how many nothing is known, how many were right.

    `said`: acts with a confidence, `brier` their mean squared error (None without any). `regret_bps` with its 95 %
    interval over days, None below five.
    """

    author: str
    judged: int
    unknown: int
    right: int
    said: int
    brier: float | None
    regret_bps: float
    low: float | None
    high: float | None


def is_scored(act: ReviewAct) -> bool:
    """Tell whether an act has a counterfactual: an approval or a rejection, and none that only lifts another act."""
    return act.kind in SCORED and not act.reason_code.startswith(LIFTS)


def last_day(act: ReviewAct) -> str:
    """Return the last of the 30 days after an act."""
    return (date.fromisoformat(act.asof_day) + timedelta(days=JUDGED_DAYS)).isoformat()


def is_within(act: ReviewAct, day: str) -> bool:
    """Tell whether a learning day is one of the 30 by which an act is judged."""
    return act.asof_day < day <= last_day(act)


def judged_reviews(
    acts: Iterable[tuple[ReviewAct, float | None]], values: Sequence[ReviewValue], until_day: str
) -> list[JudgedReview]:
    """Return the acts whose 30 days ended by a day, which is the last one whose values are there, in their order."""
    by_act = _by_act(values)
    out = []
    for act, confidence in acts:
        if not is_scored(act) or last_day(act) > until_day:
            continue
        own = [v for v in by_act.get(act.act_id, ()) if is_within(act, v.of_day)]
        total = over_days([v.value_bps for v in own])
        seen = sum(v.windows for v in own)
        out.append(JudgedReview(act, confidence, len(own), seen, total.total, total.low, total.high))
    return out


def review_skills(reviews: Sequence[JudgedReview], values: Sequence[ReviewValue]) -> list[ReviewSkill]:
    """Return every reviewer with an act that is judged, by name; the interval of the regret is over days, all acts."""
    by_act, out = _by_act(values), []
    for author in sorted({one.act.author for one in reviews}):
        own = [one for one in reviews if one.act.author == author]
        settled = [one for one in own if one.right is not None]
        errors = [(one.confidence - float(bool(one.right))) ** 2 for one in settled if one.confidence is not None]
        regret = _regret(own, by_act)
        out.append(
            ReviewSkill(
                author, len(own), len(own) - len(settled), sum(bool(one.right) for one in settled), len(errors),
                sum(errors) / len(errors) if errors else None, regret.total, regret.low, regret.high,
            )
        )  # fmt: skip
    return out


def _regret(reviews: Sequence[JudgedReview], by_act: Mapping[str, Sequence[ReviewValue]]) -> DaySum:
    by_day: dict[str, float] = {}
    for one in reviews:
        sign = -1.0 if one.act.kind == APPROVE else 1.0
        for v in by_act.get(one.act.act_id, ()):
            if is_within(one.act, v.of_day):
                by_day[v.of_day] = by_day.get(v.of_day, 0.0) + sign * v.value_bps
    return over_days([by_day[day] for day in sorted(by_day)])


def _by_act(values: Sequence[ReviewValue]) -> dict[str, list[ReviewValue]]:
    out: dict[str, list[ReviewValue]] = {}
    for value in values:
        out.setdefault(value.act_id, []).append(value)
    return out
