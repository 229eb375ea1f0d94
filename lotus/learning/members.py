"""Members of the family beside the rules of the cube: candidates fixed at their start and judged out of sample.

A composition of lessons is no box of the cube, but it is searched for, so it must spend the same slots. A member brings
its evidence M on the data and on every draw, with the signs that the rules have; the night takes the joint maximum. No
candidate is made here. In the literature: a max-T family, prequential evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.learning.lanes import Both
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults


@dataclass(frozen=True, slots=True)
class Member:
    """Evidence of one candidate in each lane: M of the data and M [J] of the draws, nats; -inf without a block."""

    name: str
    m: Both[float]
    draws: Both[NDArray[np.float64]]


def member_of(
    name: str, days: Sequence[str], gain: Both[NDArray[np.float64]], counted: int, settings: LearningDefaults
) -> Member:
    """Return the member of a candidate with block sums `gain` [k] of both lanes on learning days `days` [k].

    M = max(T, 0)^2 / 2 - ln counted with T = sum D / sqrt(sum D^2): one-sided, for a candidate must be better;
    `counted` is the number of candidates ever started, the price of having chosen this one.
    """
    day, rest = (_paths(days, own, counted, settings) for own in gain)
    return Member(name, Both(float(day[0]), float(rest[0])), Both(day[1:], rest[1:]))


def _paths(
    days: Sequence[str], gain: NDArray[np.float64], counted: int, settings: LearningDefaults
) -> NDArray[np.float64]:
    square = float((gain * gain).sum())
    if not square > 0.0:
        return np.full(settings.draws + 1, -np.inf)
    names = sorted(set(days))
    at = np.searchsorted(names, days)
    by_day = np.bincount(at, weights=gain, minlength=len(names))
    signs = day_signs(settings.seed, names, settings.draws)
    paths = np.concatenate([[by_day.sum()], by_day @ signs]) / np.sqrt(square)
    return round_learned(np.maximum(paths, 0.0) ** 2 / 2.0 - np.log(max(counted, 1)))


def joint(
    real: float, maxima: NDArray[np.float64], of_members: Sequence[tuple[float, NDArray[np.float64]]]
) -> tuple[float, NDArray[np.float64]]:
    """Return the largest M of the data and of every draw over the rules and the members, all of one lane."""
    for m, draws in of_members:
        real, maxima = max(real, m), np.maximum(maxima, draws)
    return real, maxima
