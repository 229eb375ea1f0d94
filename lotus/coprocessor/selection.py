"""Who lives and who is a parent: fronts of (T of the least fold, nodes), crowding within a front.

(Literature: NSGA-II, Deb et al. 2002.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.coprocessor.genome import Genome
from lotus.coprocessor.scoring import Score


@dataclass(frozen=True, eq=False)
class Individual:
    """A candidate with its score and the operator that made it."""

    genome: Genome
    score: Score
    operator: str
    parents: tuple[str, ...] = ()  # canonical ids

    @property
    def direction(self) -> int:
        """Which way the normal form of the signal points where it pays."""
        return self.score.side * self.genome.sign

    @property
    def aims(self) -> tuple[float, float]:
        """What is as small as can be: minus T of the least fold, and nodes."""
        return -self.score.worst, float(self.genome.nodes)


def survivors(pool: Sequence[Individual], many: int) -> list[Individual]:
    """Return the best `many`, front by front, the last one by crowding; ties by canonical id. They stand best first."""
    if not pool:
        return []
    order = sorted(range(len(pool)), key=lambda k: pool[k].genome.canonical)
    aims = np.array([pool[k].aims for k in order])
    kept: list[int] = []
    left = np.arange(len(order))
    while len(kept) < many and len(left):
        own = aims[left]
        behind = own[:, None, :] >= own[None, :, :], own[:, None, :] > own[None, :, :]
        weaker = np.any(np.all(behind[0], axis=2) & np.any(behind[1], axis=2), axis=1)
        front = left[~weaker]
        crowd = _crowding(aims[front])
        ranked = sorted(range(len(front)), key=lambda k: (-crowd[k], int(front[k])))
        kept += [int(front[k]) for k in ranked][: many - len(kept)]
        left = left[weaker]
    return [pool[order[k]] for k in kept]


def parent(ranked: Sequence[Individual], rng: np.random.Generator) -> Individual:
    """Return the better of two drawn ones; `ranked` stands best first."""
    return ranked[int(min(rng.integers(len(ranked), size=2)))]


def _crowding(aims: NDArray[np.float64]) -> list[float]:
    """Return how far each stands from its neighbours of a front; the ends are infinitely far."""
    many = len(aims)
    far = np.zeros(many)
    for column in aims.T:
        order = np.argsort(column, kind="stable")
        width = float(column[order[-1]] - column[order[0]])
        far[order[0]] = far[order[-1]] = np.inf
        if width > 0.0:
            far[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / width
    return [float(x) for x in far]
