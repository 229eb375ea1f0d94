"""Whether the modelled payoff knows what was published, asked of one rule: what it adds to the rule's sum is noise.

In f the modelled payoff P stands as -(1 - p) (A - p) P, whose mean is zero where P was written before the draw, or the
same way whatever was drawn. Where it was not, the rule's effect is that of the writing. The draws of A are independent
given p, so the sum over a rule's windows has a known variance whatever payoffs do. An audit of every rule at once
cannot be as sharp as that of the one that is to be learned. In the literature: control variate, augmentation term.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.learning.bench import rounded
from lotus.learning.rows import DetectorRows

LIMIT = 2.5  # of |z|, two-sided .012: what an honest rule pays


def knowing(rows: DetectorRows, covered: NDArray[np.bool_]) -> float:
    """Return z of what the modelled payoff adds to the rule's windows `covered` [n] beyond its share of all windows.

    P counts by its difference from the mean over the same side of the rule, so a wrong p is left to other audits.
    """
    known = ~np.isnan(rows.payoff_p) & (rows.h > 0.0)
    inside, outside = known & covered, known & ~covered
    if not inside.any() or not outside.any():
        return 0.0
    share = float(rows.h[inside].sum() / rows.h[known].sum())
    value = variance = 0.0
    for side, weight in ((inside, 1.0 - share), (outside, -share)):
        paid, p, h = rows.payoff_p[side], rows.p[side], rows.h[side]
        term = (1.0 - p) * (paid - float((h * paid).sum() / h.sum()))
        value -= weight * float((term * (rows.published[side] - p)).sum())
        variance += weight**2 * float((term * term * h).sum())
    return value / math.sqrt(variance) if variance > 0.0 else 0.0


def knows(rows: DetectorRows, covered: NDArray[np.bool_]) -> str:
    """Return why a rule fails whose modelled payoffs know whether they were published, empty when it does not."""
    z = knowing(rows, covered)
    if abs(z) <= LIMIT:
        return ""
    return (
        f"modelled payoffs of this rule go along with what was published (z {rounded(z):.1f}, limit {LIMIT:g}): model "
        "them the same way for every window, or log none"
    )
