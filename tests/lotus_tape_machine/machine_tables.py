"""Programs and nasty tables for a machine."""

import numpy as np

from .oracle import NASTY

COLUMNS = 3


def nasty_table(seed: int, n: int) -> np.ndarray:
    """Wandering columns with nulls, repeats and extremes."""
    rng = np.random.default_rng(seed)
    table = np.round(np.cumsum(rng.normal(size=(n, COLUMNS)), axis=0), 1)
    odd = rng.random(table.shape) < 0.08
    table[odd] = rng.choice(NASTY, odd.sum())
    return table
