"""The covariance of coins from their returns, shrunk, known at a time and scaled to a horizon.

Sigma = (1 - d) S + d m I with the intensity d of Ledoit and Wolf (2004), so that it is never singular however few rows
there are. Returns are taken as uncorrelated in time: over a horizon of H bars of b seconds it is H / b times that of a
bar. What is done with it belongs elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError, LookAheadError
from lotus.hashing import natural_id, round_learned

Floats = NDArray[np.float64]
MIN_ROWS = 20


@dataclass(frozen=True, slots=True)
class Covariance:
    """Covariance of bar returns, `matrix` f8 [n, n] in bps^2 in the order of `coins` (rising names).

    `asof_ms` is the end of the last bar in it, `shrinkage` the weight of the target, `rows` how many bars.
    """

    coins: tuple[str, ...]
    matrix: Floats
    bar_s: float
    asof_ms: int
    shrinkage: float
    rows: int

    @property
    def version(self) -> str:
        """128-bit hash of the content."""
        return natural_id("covariance", *self.coins, self.matrix.tobytes(), self.bar_s, self.asof_ms)

    def over(self, horizon_s: float, coins: Sequence[str]) -> Floats:
        """Return the covariance over a horizon, f8 [k, k] in bps^2 in the order of `coins`; all must be known."""
        where = [self.coins.index(coin) for coin in coins]
        return self.matrix[np.ix_(where, where)] * (horizon_s / self.bar_s)


def ledoit_wolf(returns: Mapping[str, Floats], end_ms: NDArray[np.int64], bar_s: float, now_ms: int) -> Covariance:
    """Return the shrunk covariance of returns in bps, f8 [T] a coin, of the bars that ended at `end_ms` i8 [T].

    Bars in which any coin has no return (NaN) are left out. Raises `LookAheadError` for a bar that ended after
    `now_ms`, `ConfigError` for fewer than `MIN_ROWS` whole bars or unequal lengths.
    """
    from sklearn.covariance import ledoit_wolf as shrunk

    coins = tuple(sorted(returns))
    if not coins or any(len(returns[coin]) != len(end_ms) for coin in coins):
        found = f"lengths {[len(returns[c]) for c in coins]} for {len(end_ms)} bars"
        raise ConfigError(found, "one return a bar and coin")
    if len(end_ms) and int(end_ms.max()) > now_ms:
        raise LookAheadError(f"a bar that ends at {int(end_ms.max())} ms", f"bars that ended by {now_ms} ms")
    table = np.stack([np.asarray(returns[coin], dtype=np.float64) for coin in coins], axis=1)
    whole = np.isfinite(table).all(axis=1)
    if int(whole.sum()) < MIN_ROWS:
        found = f"{int(whole.sum())} whole bars of {', '.join(coins)}"
        raise ConfigError(found, f"at least {MIN_ROWS}", "a coin just listed")
    matrix, shrinkage = shrunk(table[whole])
    return Covariance(
        coins=coins,
        matrix=round_learned(np.asarray(matrix, dtype=np.float64)),
        bar_s=bar_s,
        asof_ms=int(end_ms[whole].max()),
        shrinkage=float(f"{float(shrinkage):.8e}"),
        rows=int(whole.sum()),
    )
