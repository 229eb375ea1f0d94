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
from lotus.learning.signs import day_signs
from lotus.manifest import LearningDefaults


@dataclass(frozen=True, slots=True)
class Member:
    """Evidence of one candidate: M of the data and M [J] of the draws, nats; -inf before its first block."""

    name: str
    m: float
    draws: NDArray[np.float64]


def member_of(
    name: str, days: Sequence[str], gain: NDArray[np.float64], counted: int, settings: LearningDefaults
) -> Member:
    """Return the member of a candidate with block sums `gain` [k] on learning days `days` [k].

    M = max(T, 0)^2 / 2 - ln counted with T = sum D / sqrt(sum D^2): one-sided, for a candidate must be better;
    `counted` is the number of candidates ever started, the price of having chosen this one.
    """
    square = float((gain * gain).sum())
    if not square > 0.0:
        return Member(name, -np.inf, np.full(settings.draws, -np.inf))
    names = sorted(set(days))
    at = np.searchsorted(names, days)
    by_day = np.bincount(at, weights=gain, minlength=len(names))
    signs = day_signs(settings.seed, names, settings.draws)
    paths = np.concatenate([[by_day.sum()], by_day @ signs]) / np.sqrt(square)
    nats = round_learned(np.maximum(paths, 0.0) ** 2 / 2.0 - np.log(max(counted, 1)))
    return Member(name, float(nats[0]), nats[1:])


def joint(real: float, maxima: NDArray[np.float64], members: Sequence[Member]) -> tuple[float, NDArray[np.float64]]:
    """Return the largest M of the data and of every draw over the rules and the members."""
    for member in members:
        real, maxima = max(real, member.m), np.maximum(maxima, member.draws)
    return real, maxima
