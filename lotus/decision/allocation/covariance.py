"""The covariance of coins from their returns, shrunk, known at a time and scaled to a horizon.

Sigma = (1 - d) S + d m I with the intensity d of Ledoit and Wolf (2004), so that it is never singular however few rows
there are. Bars are minutes of the frames' mids. Returns are taken as uncorrelated in time: over a horizon of H bars of
b seconds it is H / b times that of a bar. What is done with it belongs elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.decision.knowledge.evidence import Columns, coded, joined
from lotus.errors import ConfigError, LookAheadError
from lotus.hashing import natural_id, round_learned
from lotus.timebase import DAY_MS, day_start_ms

Floats = NDArray[np.float64]
MIN_ROWS = 20
BAR_S: Final = 60
RISK_DAYS: Final = 20  # days with tape whose bars are read
LEAST_SHARE: Final = 0.5  # of the bars of the coin with most: one with fewer (just listed, halted) is left out

DM_RETURNS: Final = TableSpec(
    "dm_returns",
    ("end_ms", "asset"),
    (
        Column("end_ms", "i8", "ms UTC", "end of the bar of a minute", low=0),
        Column("asset", "text", "", "venue name of the perpetual"),
        Column("ret_bps", "f8", "bps", "1e4 (mid - mid') / mid', the last mids known in this bar and the one before"),
    ),
)


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


def bar_returns(day: str, mids: Mapping[str, tuple[NDArray[np.int64], Floats]]) -> dict[str, NDArray[np.generic]]:
    """Return a day's returns of bars of a minute in key order, from (end_ms, mid) of each coin's frames.

    A bar has a return when a mid is known in it and in the bar before, both of the day: none spans a gap or midnight.
    """
    start, bars = day_start_ms(day), DAY_MS // (1000 * BAR_S)
    parts = []
    for coin in sorted(mids):
        end_ms, mid = mids[coin]
        usable = np.isfinite(mid) & (end_ms > start) & (end_ms <= start + DAY_MS)
        close = np.full(bars, np.nan)
        bar = (end_ms[usable] - 1 - start) // (1000 * BAR_S)
        last = np.flatnonzero(np.diff(bar, append=bars))  # frames stand in order of time
        close[bar[last]] = mid[usable][last]
        returns = 1e4 * (close[1:] - close[:-1]) / close[:-1]
        whole = np.flatnonzero(np.isfinite(returns))
        parts.append((start + (whole + 2) * 1000 * BAR_S, np.full(len(whole), coin, dtype=object), returns[whole]))
    ends, assets, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((assets.astype("U"), ends))
    return {"end_ms": ends[order].astype(np.int64), "asset": assets[order], "ret_bps": values[order]}


def covariance_of(days: Sequence[Columns], now_ms: int) -> Covariance:
    """Return the covariance of the bars of several days (`bar_returns`), one without coins where there are too few.

    Raises `LookAheadError` for a bar that ended after `now_ms`.
    """
    if not days:
        return _without_coins(0)
    rows = joined(days)
    coins, coin = coded(rows["asset"])
    ends, bar = np.unique(rows["end_ms"], return_inverse=True)
    table = np.full((len(ends), len(coins)), np.nan)
    table[bar, coin] = rows["ret_bps"]
    counts = np.isfinite(table).sum(axis=0)
    kept = np.flatnonzero(counts >= LEAST_SHARE * counts.max(initial=1))
    whole = int(np.isfinite(table[:, kept]).all(axis=1).sum())
    if whole < MIN_ROWS:
        return _without_coins(whole)
    return ledoit_wolf({coins[k]: table[:, k] for k in kept}, ends.astype(np.int64), float(BAR_S), now_ms)


def _without_coins(rows: int) -> Covariance:
    return Covariance(coins=(), matrix=np.zeros((0, 0)), bar_s=float(BAR_S), asof_ms=0, shrinkage=0.0, rows=rows)
