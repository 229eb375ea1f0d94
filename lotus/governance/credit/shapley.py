"""Shapley-lite: an expert's mean marginal value over a few orders and their reverses.

For an order o, expert k is credited with v(all before it and k) - v(all before it); over one order the credits add up
to v(all) - v(none) exactly. Orders come in pairs (an order and its reverse: antithetic permutations), so the error of
the mean is that of the pairs' means. Literature: J. Castro, D. Gomez, J. Tejada, "Polynomial calculation of the Shapley
value based on sampling", 2009; R. Mitchell et al., "Sampling permutations for Shapley value estimation", JMLR 2022.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import key64

ORDERS: Final = 8  # each with its reverse
Floats = NDArray[np.float64]
Values = Callable[[Sequence[int]], Floats]


def orders_of(players: int, name: str, many: int = ORDERS) -> list[list[int]]:
    """Return `many` orders of the players and the reverse behind each, drawn by Philox under a name."""
    rng = np.random.Generator(np.random.Philox(key=key64("shapley orders", name)))
    out: list[list[int]] = []
    for _ in range(many):
        order = [int(k) for k in rng.permutation(players)]
        out += [order, order[::-1]]
    return out


def shapley_lite(players: int, orders: Sequence[Sequence[int]], values: Values) -> Floats:
    """Return the credits f8[pairs, players, groups], each the mean of an order and of its reverse.

    `values(order)` gives v f8[players + 1, groups] of the growing coalition: nobody, the first, the first two, ...
    """
    found: Floats | None = None
    for place, order in enumerate(orders):
        steps = np.diff(values(order), axis=0)
        if found is None:
            found = np.zeros((len(orders) // 2, players, steps.shape[1]))
        found[place // 2, list(order)] += 0.5 * steps
    return np.zeros((0, players, 0)) if found is None else found


def mean_and_variance(credits: Floats) -> tuple[Floats, Floats]:
    """Return the mean over pairs, and the variance of that mean; f8[players, groups] each."""
    many = len(credits)
    if many < 2:
        mean = credits.sum(axis=0)
        return mean, np.zeros_like(mean)
    return credits.mean(axis=0), credits.var(axis=0, ddof=1) / many
