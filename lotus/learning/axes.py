"""The search space as arrays: subsets of one to three features, their literals, and the numbering of all rules.

A cell of a subset is its bins in base five, the last feature fastest; subsets with fewer features leave the leading
digits at zero. Sub-cubes of pairs and single features are kept beside the triples because a null bin removes a window
only from rules that read that feature. Nothing here holds data.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lotus.priors.types import Rule
from lotus.priors.vocabulary import DEFAULT, MAX_BINS, Vocabulary, literals_of, rule_counts

SIDE = MAX_BINS  # bins per feature at most
N_CELLS = SIDE**3


@dataclass(frozen=True)
class Axes:
    """Vocabulary, subsets int64 [k, 3] (-1 = unused, in front), literal bounds, and the first rule of each subset.

    `low`, `high` int64 [features + 1, n]: the last row is the literal of an unused axis (bin 0 only); `count` int64
    [features + 1].
    """

    vocabulary: Vocabulary
    subsets: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    count: NDArray[np.int64]
    first_rule: NDArray[np.int64]
    length: NDArray[np.int64]
    price: NDArray[np.float64]

    @cached_property
    def cells(self) -> NDArray[np.int64]:
        """Positions [c] in subsets x 125 that a window can reach; the others are cells of bins that do not exist."""
        sizes = np.array([*(f.bins for f in self.vocabulary.features), 1])[self.subsets]
        digits = np.stack(np.unravel_index(np.arange(N_CELLS), (SIDE,) * 3), axis=1)
        return np.flatnonzero((digits[None] < sizes[:, None]).all(axis=2).ravel())

    @cached_property
    def table(self) -> tuple[NDArray[np.int64], ...]:
        """What the kernels of `boxes` ask for: cells, the first cell of each subset, subsets, literals, first rules."""
        first_cell = np.searchsorted(self.cells, np.arange(len(self.subsets) + 1) * N_CELLS).astype(np.int64)
        return self.cells, first_cell, self.subsets, self.low, self.high, self.count, self.first_rule

    def lean(self, cube: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return cubes [k, subsets, 125] as sums [k, c] over `cells`."""
        return np.take(cube.reshape(len(cube), -1), self.cells, axis=1)

    @property
    def n_rules(self) -> int:
        """Number of rules of every length together."""
        return int(self.first_rule[-1])

    def rule_lengths(self) -> NDArray[np.int64]:
        """Return the number of literals of each rule, int64 [n_rules]."""
        return np.repeat(self.length, np.diff(self.first_rule))

    def prices(self) -> NDArray[np.float64]:
        """Return ln N_L of each rule, nats: what it costs to have picked one among all rules of its length."""
        return np.repeat(self.price[self.length], np.diff(self.first_rule))

    def rule(self, number: int) -> Rule:
        """Return the rule of a number."""
        subset = int(np.searchsorted(self.first_rule, number, side="right")) - 1
        rest = number - int(self.first_rule[subset])
        picked = []
        for feature in self.subsets[subset][::-1]:
            if feature >= 0:
                rest, literal = divmod(rest, int(self.count[feature]))
                picked.append(literals_of(int(feature), self.vocabulary)[literal])
        return Rule.of(*picked)

    def number(self, rule: Rule) -> int:
        """Return the number of a rule of the vocabulary."""
        features = [x.feature for x in rule.literals]
        row = [-1] * (3 - len(features)) + features
        subset = int(np.flatnonzero((self.subsets == row).all(axis=1))[0])
        inner = 0
        for literal in rule.literals:
            known = literals_of(literal.feature, self.vocabulary)
            inner = inner * int(self.count[literal.feature]) + known.index(literal)
        return int(self.first_rule[subset]) + inner


@cache
def axes(max_literals: int = 3, vocabulary: Vocabulary = DEFAULT) -> Axes:
    """Return the search space over a vocabulary: triples first, then pairs, then single features."""
    n = len(vocabulary.features)
    rows = [
        [-1] * (3 - size) + list(chosen)
        for size in range(max_literals, 0, -1)
        for chosen in combinations(range(n), size)
    ]
    subsets = np.array(rows, dtype=np.int64)
    literals = [literals_of(f, vocabulary) for f in range(n)]
    count = np.array([len(x) for x in literals] + [1], dtype=np.int64)
    low = np.zeros((n + 1, int(count.max())), dtype=np.int64)
    high = np.zeros_like(low)
    for f, mine in enumerate(literals):
        low[f, : len(mine)] = [x.low for x in mine]
        high[f, : len(mine)] = [x.high for x in mine]
    sizes = np.prod(count[subsets], axis=1)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    price = np.log(np.array([1.0, *(max(1, n_rules) for n_rules in rule_counts(vocabulary))]))
    return Axes(vocabulary, subsets, low, high, count, first, (subsets >= 0).sum(axis=1), price)
