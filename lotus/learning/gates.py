"""Gates and grades: what a rule must show beside its evidence, and what its payoffs and propensities entitle it to.

Every refusal names the number that failed. Gates apply to the real data only, after the evidence has passed; a human
approval cannot raise a grade.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lesson import Grade, State
from lotus.learning.rows import EXECUTED, VENUE, DetectorRows
from lotus.manifest import LearningDefaults

MIN_FILLED = 0.95
MIN_RECENT_T = 1.65
MIN_KEPT = 0.05


@dataclass(frozen=True, slots=True)
class Support:
    """What stands behind a rule; `recent_t` is the smaller t of the two lanes in the rule's direction."""

    coverage: float
    published: int
    ess: float
    blocks: int
    days: int
    n_eff_days: float
    recent_t: float


def support_failure(support: Support, settings: LearningDefaults) -> str:
    """Return why support is too thin, with the number and its limit; empty when it is not."""
    s, low, high = support, settings.min_coverage, settings.max_coverage
    n_eff = settings.min_n_eff_days
    checks = (
        (s.coverage >= low, f"covers {s.coverage:.1%} of the weight, below {low:.0%}"),
        (s.coverage <= high, f"covers {s.coverage:.1%} of the weight, above {high:.0%}"),
        (s.published >= settings.min_published, f"{s.published} published windows, below {settings.min_published}"),
        (s.ess >= settings.min_ess, f"effective sample {s.ess:.0f}, below {settings.min_ess:.0f}"),
        (s.blocks >= settings.min_blocks, f"{s.blocks} six-hour blocks, below {settings.min_blocks}"),
        (s.days >= settings.min_days, f"{s.days} days, below {settings.min_days}"),
        (s.n_eff_days >= n_eff, f"{s.n_eff_days:.1f} effective days, below {n_eff:g}"),
        (alive(s), f"t of the newest days {s.recent_t:.2f} in its direction, not above {MIN_RECENT_T:g}"),
    )
    return "; ".join(text for passed, text in checks if not passed)


def alive(support: Support) -> bool:
    """Return whether the newest days go the rule's way in both lanes."""
    return support.recent_t > MIN_RECENT_T


def absorbed(kept_share: float) -> str:
    """Return why a rule that its baseline explains is refused, with the number; empty when it is not one.

    `kept_share` is U / C: features constant within the day of a desk open for one block leave nothing of a rule.
    """
    if kept_share >= MIN_KEPT:
        return ""
    return (
        f"only {kept_share:.1%} of the rule can be told apart from what the propensity and the day say, below "
        f"{MIN_KEPT:.0%}: its features hardly move within a day; more hours a day, or features that move"
    )


def grade_of(rows: DetectorRows, covered: NDArray[np.bool_], logged: bool = True) -> tuple[Grade, State, str]:
    """Return grade, state and reason from how the published windows inside and outside the rule were filled.

    A: the venue filled >= 95 % on both sides. B: >= 95 % executed on both sides, on paper or against the tape. C: only
    modelled, or the policy was deterministic inside the rule. D: the propensity was not `logged` but estimated.
    """
    if not logged:
        return "D", "REFUSED", "the propensity was estimated, not logged: an association, no effect"
    if not np.any(rows.h[covered] > 0.0):
        return "C", "MODEL_ONLY", "the policy is deterministic here: propose exploration"
    sides = [rows.source[rows.published & side] for side in (covered, ~covered)]
    shares = [(float((s >= EXECUTED).mean()), float((s == VENUE).mean())) for s in sides if len(s)]
    executed, venue = (min((pair[i] for pair in shares), default=0.0) for i in (0, 1))
    if venue >= MIN_FILLED:
        return "A", "IDENTIFIED", ""
    if executed >= MIN_FILLED:
        return "B", "IDENTIFIED", ""
    return "C", "MODEL_ONLY", f"only {executed:.0%} of the published windows were executed: propose an experiment"
