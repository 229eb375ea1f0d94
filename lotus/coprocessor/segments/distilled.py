"""A tree of depth three in place of the states of a hidden Markov model, and the flags that say the same.

Leaves become the flags of a list: one of each state, a leaf an `and` of its comparisons, several leaves an `or`.
Columns are standardised per coin, so each coin has thresholds of its own, at four digits. (Literature: distillation of
a model into rules; CART, Breiman et al. 1984.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier

from lotus.detectors.windows.row_spec import WINDOW_UNITS
from lotus.tape_machine.printer import text_of
from lotus.tape_machine.syntax import Binary, Name, Number, Tree, Unary
from lotus.tape_machine.units import spell

DEPTH: Final[int] = 3
LEAST_SHARE: Final[float] = 0.02  # of all windows, in a leaf
DIGITS: Final[int] = 4
Cut = tuple[int, bool, float]  # column, above, standardised threshold
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ColumnScale:
    """How a column of one coin is standardised: of its logarithm where that has a meaning."""

    name: str
    mean: float
    deviation: float
    is_log: bool

    def standardised(self, values: Floats) -> Floats:
        """Return values in deviations from the mean."""
        return ((np.log(values) if self.is_log else values) - self.mean) / self.deviation

    def raw(self, standardised: float) -> float:
        """Return a standardised threshold in the column's own unit, at four digits."""
        value = self.mean + standardised * self.deviation
        return float(f"{np.exp(value) if self.is_log else value:.{DIGITS}g}")


def leaves_of(rows: Floats, states: NDArray[np.int64]) -> Mapping[int, list[tuple[Cut, ...]]]:
    """Return of each state that has a leaf its leaves, each the cuts on the way from the root, states rising.

    A branch whose leaves all say one state is one leaf.
    """
    least = max(1, int(LEAST_SHARE * len(rows)))
    tree = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=least, random_state=0).fit(rows, states).tree_
    names = np.unique(states)

    def below(node: int, cuts: tuple[Cut, ...]) -> list[tuple[int, tuple[Cut, ...]]]:
        if tree.children_left[node] == tree.children_right[node]:
            return [(int(names[int(np.argmax(tree.value[node][0]))]), cuts)]
        column, bound = int(tree.feature[node]), float(tree.threshold[node])
        left = below(int(tree.children_left[node]), (*cuts, (column, False, bound)))
        right = below(int(tree.children_right[node]), (*cuts, (column, True, bound)))
        same = {state for state, _ in (*left, *right)}
        return [(same.pop(), cuts)] if len(same) == 1 else [*left, *right]

    leaves = below(0, ())
    return {state: [cuts for own, cuts in leaves if own == state] for state in sorted({own for own, _ in leaves})}


def flags_of(
    leaves: Mapping[int, Sequence[tuple[Cut, ...]]], scales: Sequence[ColumnScale]
) -> tuple[str, ...]:  # fmt: skip
    """Return the flags of one coin, one of each state, as text of the language."""
    return tuple(text_of(reduce(_either, (_joined(cuts, scales) for cuts in own))) for own in leaves.values())


def compared(name: str, above: bool, value: float) -> Tree:
    """Return `name > value` or `name <= value` with the unit of the column."""
    unit = WINDOW_UNITS[name]
    number: Tree = Number(abs(value), spell(unit.removeprefix("1")))
    return Binary(">" if above else "<=", Name(name), Unary("-", number) if value < 0.0 else number)


def both(left: Tree, right: Tree) -> Tree:
    """Return `left and right`."""
    return Binary("and", left, right)


def _either(left: Tree, right: Tree) -> Tree:
    return Binary("or", left, right)


def _joined(cuts: Sequence[Cut], scales: Sequence[ColumnScale]) -> Tree:
    """Return the comparisons of a leaf, of each column and side only the narrowest."""
    narrowest: dict[tuple[int, bool], float] = {}
    for column, above, bound in cuts:
        held = narrowest.get((column, above), bound)
        narrowest[column, above] = max(held, bound) if above else min(held, bound)
    return reduce(both, (compared(scales[c].name, up, scales[c].raw(x)) for (c, up), x in narrowest.items()))
