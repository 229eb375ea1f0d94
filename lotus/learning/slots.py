"""Looking every night without paying for it: the nightly slots of a budget year (365 learning days).

Path 0 is the real data, paths 1..J the draws; all J + 1 are treated alike. On night n at most K(n) = floor(alpha (J+1)
min(1, sqrt((n - 9) / 356))) paths may have crossed since the year began, so under sign symmetry the real path is among
them with probability at most alpha, whatever was looked at in between (a Monte Carlo group-sequential test). A new
year begins with nothing spent and nobody crossed.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lanes import Both

FIRST_NIGHT, YEAR_NIGHTS = 9, 356
YEAR_DAYS = FIRST_NIGHT + YEAR_NIGHTS


@dataclass(frozen=True, slots=True)
class SlotState:
    """Slots spent so far in the budget year and the paths that crossed, in order of crossing (0 = the real data).

    `tested` and `rejected` are the memory of `online_fdr`: tests made, and which of them found something.
    """

    spent: int = 0
    crossed: tuple[int, ...] = ()
    year: int = 0
    tested: int = 0
    rejected: tuple[int, ...] = ()


NOTHING_SPENT = Both(SlotState(), SlotState())


@dataclass(frozen=True, slots=True)
class Crossing:
    """One path that crossed: its place in the year's order (from 1), its number (0 = the real data) and its M."""

    order: int
    path: int
    m_nats: float


@dataclass(frozen=True, slots=True)
class Look:
    """What a night may promote: k slots, the critical value (M must exceed it; +inf = nothing) and the next state."""

    slots: int
    critical: float
    state: SlotState
    crossings: tuple[Crossing, ...] = ()


def allowance(night: int, draws: int, alpha: float) -> int:
    """Return K(n).

    >>> [allowance(n, 400, 0.04) for n in (9, 10, 11, 365)]
    [0, 0, 1, 16]
    """
    share = min(1.0, max(0, night - FIRST_NIGHT) / YEAR_NIGHTS) ** 0.5
    return int(np.floor(alpha * (draws + 1) * share + 1e-9))


def in_year(state: SlotState, night: int) -> tuple[SlotState, int]:
    """Return the state of the night's budget year and the night's number in it; nights count from 1 over all years."""
    year, before = divmod(max(night, 1) - 1, YEAR_DAYS)
    return (state if year == state.year else replace(state, spent=0, crossed=(), year=year)), before + 1


def allowance_tonight(state: SlotState, night: int, draws: int, alpha: float) -> int:
    """Return how many paths may cross tonight."""
    state, number = in_year(state, night)
    return max(0, allowance(number, draws, alpha) - state.spent)


def nightly_look(state: SlotState, night: int, real: float, maxima: NDArray[np.float64], alpha: float) -> Look:
    """Spend the slots of a night: the k highest paths not yet crossed cross; ties count against the real path.

    `night` counts learning days from 1 on, over all years. `real` is the largest M of the data over all detectors and
    eligible rules, `maxima` [J] that of each draw.
    """
    k = allowance_tonight(state, night, len(maxima), alpha)
    state, _ = in_year(state, night)
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
    crossings = tuple(
        Crossing(len(state.crossed) + i, path, real if path == 0 else float(maxima[path - 1]))
        for i, path in enumerate(crossing, 1)
    )
    return Look(k, critical, replace(state, spent=state.spent + k, crossed=state.crossed + tuple(crossing)), crossings)
