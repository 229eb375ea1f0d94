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
MIN_RECENT_T = 1.0


@dataclass(frozen=True, slots=True)
class Support:
    """What stands behind a rule."""

    coverage: float
    published: int
    ess: float
    blocks: int
    days: int
    n_eff_days: float
    recent_t: float
    sign: int


def support_failure(support: Support, settings: LearningDefaults) -> str:
    """Return why support is too thin, with the number and its limit; empty when it is not."""
    s, low, high = support, settings.min_coverage, settings.max_coverage
    recent, n_eff = s.recent_t * s.sign, settings.min_n_eff_days
    checks = (
        (s.coverage >= low, f"covers {s.coverage:.1%} of the weight, below {low:.0%}"),
        (s.coverage <= high, f"covers {s.coverage:.1%} of the weight, above {high:.0%}"),
        (s.published >= settings.min_published, f"{s.published} published windows, below {settings.min_published}"),
        (s.ess >= settings.min_ess, f"effective sample {s.ess:.0f}, below {settings.min_ess:.0f}"),
        (s.blocks >= settings.min_blocks, f"{s.blocks} six-hour blocks, below {settings.min_blocks}"),
        (s.days >= settings.min_days, f"{s.days} days, below {settings.min_days}"),
        (s.n_eff_days >= n_eff, f"{s.n_eff_days:.1f} effective days, below {n_eff:g}"),
        (recent > MIN_RECENT_T, f"t of the last 20 days {recent:.2f} in its direction, not above {MIN_RECENT_T:g}"),
    )
    return "; ".join(text for passed, text in checks if not passed)


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
