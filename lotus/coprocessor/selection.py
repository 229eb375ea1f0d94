"""Who lives and who is a parent: the best by worth, one of each kind first.

worth = z^2 / 2 - nodes: what the days say for a candidate less what it takes to name it, both in nats. A node costs
one, less than the choice of a column (ln 50) and more than that of a sign, so a part that only follows noise has to go.
(Literature: minimum description length, Rissanen 1978; parsimony pressure; fitness sharing by niches.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lotus.coprocessor.genome import Genome
from lotus.coprocessor.scoring import Score, correlation, rounded

REDUNDANT: Final[float] = 0.7  # correlation of daily sums above which two are one
NICHE: Final[float] = 0.95  # above it only the better one lives, while there is another
NODE_NATS: Final[float] = 1.0
DRAWN: Final[int] = 4  # of whom the best is a parent


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
    def worth(self) -> float:
        """What ranks, nats."""
        return worth_of(self.genome, self.score)


def worth_of(genome: Genome, score: Score) -> float:
    """Return z^2 / 2 less the cost of the nodes, nats."""
    return rounded(score.z**2 / 2.0 - NODE_NATS * genome.nodes)


def survivors(pool: Sequence[Individual], many: int) -> list[Individual]:
    """Return the best `many` by worth, first those unlike every better one; ties by canonical id.

    They stand best first.
    """
    order = _ranked(pool)
    if not order:
        return []
    days = np.array([one.score.daily for one in order], np.float64).reshape(len(order), -1)
    days = days - days.mean(axis=1, keepdims=True) if days.size else days
    size = np.sqrt(np.sum(days * days, axis=1))
    alike = (days @ days.T) > NICHE * np.outer(size, size)
    lives: list[int] = []
    for k in range(len(order)):
        if not alike[k, lives].any():
            lives.append(k)
    lives += sorted(set(range(len(order))) - set(lives))
    return [order[k] for k in sorted(lives[:many])]


def best_unlike(scored: Sequence[Individual], many: int) -> list[Individual]:
    """Return the best by worth that are not mute and whose daily sums do not go along with those of a better one."""
    taken: list[Individual] = []
    for one in _ranked([i for i in scored if not i.score.mute]):
        if len(taken) == many:
            break
        if all(correlation(one.score.daily, k.score.daily) <= REDUNDANT for k in taken):
            taken.append(one)
    return taken


def parent(ranked: Sequence[Individual], rng: np.random.Generator) -> Individual:
    """Return the best of a few drawn ones; `ranked` stands best first."""
    return ranked[int(min(rng.integers(len(ranked), size=DRAWN)))]


def _ranked(pool: Sequence[Individual]) -> list[Individual]:
    return sorted(pool, key=lambda i: (-i.worth, i.genome.canonical))
