"""Looking every night without paying for it: the nightly slots of a budget year.

Path 0 is the real data, paths 1..J the draws; all J + 1 are treated alike. On night n at most K(n) = floor(alpha (J+1)
min(1, sqrt((n - 9) / 356))) paths may have crossed since the year began, so under sign symmetry the real path is among
them with probability at most alpha, whatever was looked at in between (a Monte Carlo group-sequential test).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIRST_NIGHT, YEAR_NIGHTS = 9, 356


@dataclass(frozen=True, slots=True)
class SlotState:
    """Slots spent so far in the budget year and the paths that crossed, in order of crossing (0 = the real data)."""

    spent: int = 0
    crossed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What a night may promote: k slots, the critical value (M must exceed it; +inf = nothing) and the next state."""

    slots: int
    critical: float
    state: SlotState


def allowance(night: int, draws: int, alpha: float) -> int:
    """Return K(n).

    >>> [allowance(n, 400, 0.04) for n in (9, 10, 11, 365)]
    [0, 0, 1, 16]
    """
    share = min(1.0, max(0, night - FIRST_NIGHT) / YEAR_NIGHTS) ** 0.5
    return int(np.floor(alpha * (draws + 1) * share + 1e-9))


def nightly_look(state: SlotState, night: int, real: float, maxima: NDArray[np.float64], alpha: float) -> Look:
    """Spend the slots of night n: the k highest paths not yet crossed cross; ties count against the real path.

    `real` is the largest M of the data over all detectors and eligible rules, `maxima` [J] that of each draw.
    """
    k = max(0, allowance(night, len(maxima), alpha) - state.spent)
    if k == 0:
        return Look(0, np.inf, state)
    gone = set(state.crossed)
    draws = [j for j in range(1, len(maxima) + 1) if j not in gone]
    ranked = sorted(draws, key=lambda j: (-float(maxima[j - 1]), j))
    critical = float(maxima[ranked[k - 1] - 1]) if k <= len(ranked) else -np.inf
    crossing = ranked[:k]
    if 0 not in gone and real > critical:
        ahead = [j for j in ranked[:k] if float(maxima[j - 1]) >= real]
        crossing = [*ahead, 0, *ranked[len(ahead) : k - 1]]
    return Look(k, critical, SlotState(state.spent + k, state.crossed + tuple(crossing)))
