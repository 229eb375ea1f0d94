"""How many votes confirm: the weekly refit of `votes_needed`, out of sample.

A confirmation is worth something where the evidence is right more often with it than without. So each number of votes
is read as a prediction: of a window with a move, was the side of micro_llr right? It promises the share that was right
among confirmed windows, and that among the others. The number with the least log loss on the days before the last part
(`RefitRows.parts`) is proposed, and judged once, on the last part, which it has not seen, against the number in force
read in the same way. A number lies between two sums of votes, so that no rounding decides, and leaves at least
`MIN_ROWS` windows on both sides, so that it neither silences nor frees who asks for it. Nothing else is fitted here.
Literature: decision stump; threshold of a vote ensemble.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.experts.fusion import ExpertSet
from lotus.experts.weekly.refit import MIN_ROWS, RefitRows
from lotus.experts.weekly.verdict import RefitVerdict, compare, log_losses

DIGITS: Final[int] = 9  # of a sum of votes

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class VotesRefit:
    """A proposed number of votes, and the verdict on unseen days against the number in force."""

    needed: float
    verdict: RefitVerdict


def refit_votes(rows: RefitRows, experts: ExpertSet) -> VotesRefit | None:
    """Return the proposal for a set; None where no number leaves `MIN_ROWS` windows on both sides in both parts."""
    sums, right, sided = _votes_and_sides(rows, experts)
    judge = rows.parts()[2]
    fit, unseen = sided & ~judge, sided & judge
    steps = np.unique(sums[fit])
    numbers = [float(m) for m in np.round((steps[1:] + steps[:-1]) / 2.0, DIGITS) if _is_wide(sums[fit] >= m)]
    if not numbers or int(unseen.sum()) < MIN_ROWS:
        return None

    def losses(needed: float, of: Flags) -> Floats:
        confirmed = sums >= needed
        shares = [_share(right[fit & side]) for side in (~confirmed, confirmed)]
        return log_losses(np.where(confirmed[of], shares[1], shares[0]), right[of])

    best = min(numbers, key=lambda needed: (float(losses(needed, fit).mean()), needed))
    before, after = (losses(needed, unseen) for needed in (experts.fusion.votes_needed, best))
    return VotesRefit(best, compare(before, after, rows.hour[unseen]))


def _votes_and_sides(rows: RefitRows, experts: ExpertSet) -> tuple[Floats, Flags, Flags]:
    """Return the sum of votes, whether the side of micro_llr was right, and whether it had a side, each [n]."""
    raised = (rows.fired[:, None] >> np.arange(len(experts.names))) & 1
    llr = np.where(np.isfinite(rows.z), rows.z, 0.0) @ np.array(experts.weights)
    return np.round(raised @ np.array(experts.votes), DIGITS), (llr > 0.0) == rows.up, llr != 0.0


def _is_wide(confirmed: Flags) -> bool:
    return MIN_ROWS <= int(confirmed.sum()) <= len(confirmed) - MIN_ROWS


def _share(right: Flags) -> float:
    """Return the share that was right, shrunk towards one half by one window each way."""
    return (float(right.sum()) + 1.0) / (len(right) + 2.0)
