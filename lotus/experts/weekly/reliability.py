"""How far an expert can be trusted: Beta posteriors of its calls, pooled in part over assets, and who is switched off.

A call's worth (see `calls`) is 1, 0 or a share; without drift its mean is q0 = give / (gain + give). Reliability is
the hit rate q on the scale of what is won and lost, rho = q gain / (q gain + (1 - q) give): 1/2 means that calls earn
nothing, whatever the barriers; being monotone in q, it carries quantiles of q exactly. Shares count as that part of a
win: their variance is smaller than a coin's, so intervals are, if anything, too wide.
Partial pooling: the hit rates of an expert's assets come from Beta(m k, (1 - m) k) with m the expert's posterior mean
and k from the method of moments (J. Kleinman, JASA 1973), so few calls lean on the other assets. Fusion's weights are
in `refit`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.spec import LabelRule

PRIOR_CALLS: Final[float] = 4.0  # weight of "earns nothing" in an expert's own posterior
POOL_CALLS: Final = (4.0, 400.0)  # bounds of k
LEVEL: Final[float] = 0.95  # of intervals
MAX_CORRELATION: Final[float] = 0.8
FLOOR: Final[float] = 0.5  # an expert whose interval lies below it is below its floor
EVALUATIONS: Final[int] = 4  # in turn below the floor, until it is switched off
MIN_CALLS: Final[int] = 30  # an evaluation of fewer decided calls says nothing

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Posterior mean and central interval of rho, and the decided calls behind it; 1/2 = earns nothing.

    `wins` and `losses` are the parameters of the Beta posterior of the hit rate.
    """

    calls: int
    mean: float
    low: float
    high: float
    wins: float = 0.0
    losses: float = 0.0

    @property
    def excludes_half(self) -> bool:
        """Whether the interval lies on one side of 1/2."""
        return self.low > 0.5 or self.high < 0.5


@dataclass(frozen=True, slots=True)
class ExpertReliability:
    """The expert as a whole, each of its assets (in the order given), and the calls k that pooling is worth."""

    overall: Reliability
    assets: tuple[Reliability, ...]
    pool_calls: float


def reliability_of(worth: Sequence[Floats], rule: LabelRule, level: float = LEVEL) -> ExpertReliability:
    """Return the reliabilities of one expert; `worth` f8[n_a] in [0, 1] of the decided calls of each asset.

    Raises `SchemaError` for a worth outside [0, 1].
    """
    every = np.concatenate([np.zeros(0), *worth])
    if not np.all((every >= 0.0) & (every <= 1.0)):
        raise SchemaError("worth outside [0, 1] or null", "decided calls only", "open calls were not left out")
    fair = rule.give_bps / (rule.gain_bps + rule.give_bps)
    wins = PRIOR_CALLS * fair + float(every.sum())
    losses = PRIOR_CALLS * (1.0 - fair) + float((1.0 - every).sum())
    centre, pool = wins / (wins + losses), pooling(worth)
    assets = [
        _posterior(len(w), centre * pool + float(w.sum()), (1.0 - centre) * pool + float((1.0 - w).sum()), rule, level)
        for w in worth
    ]
    return ExpertReliability(_posterior(len(every), wins, losses, rule, level), tuple(assets), pool)


def pooling(worth: Sequence[Floats]) -> float:
    """Return k, the calls that an asset's prior from the other assets is worth, by the method of moments.

    With n_a calls of mean q_a, N their sum and q the mean of all: sum n_a (q_a - q)^2 has expectation
    v ((A - 1) + f (N - sum n_a^2 / N - (A - 1))), v the variance of one call, f = 1 / (k + 1).
    """
    low, high = POOL_CALLS
    some = [w for w in worth if len(w)]
    every = np.concatenate([np.zeros(0), *some])
    n = np.array([len(w) for w in some], np.float64)
    v = float(every.var()) if len(every) else 0.0
    total, freedom = float(n.sum()), len(some) - 1.0
    spread = total - float((n * n).sum()) / total - freedom if total else 0.0
    if v == 0.0 or freedom < 1.0 or spread <= 0.0:
        return high
    between = float(sum(len(w) * (w.mean() - every.mean()) ** 2 for w in some))
    share = (between / v - freedom) / spread
    return float(np.clip(1.0 / share - 1.0, low, high)) if share > 0.0 else high


def redundant(
    correlation: Floats, names: Sequence[str], reliabilities: Mapping[str, Reliability], most: float = MAX_CORRELATION
) -> dict[str, str]:
    """Return the experts that say what a more reliable one says: name -> the one that is kept.

    `correlation` f8[experts, experts] of their z. From the most reliable (mean, then name) down, an expert is left out
    when |correlation| with one that is kept exceeds `most`.
    """
    order = sorted(range(len(names)), key=lambda k: (-reliabilities[names[k]].mean, names[k]))
    kept: list[int] = []
    out: dict[str, str] = {}
    for k in order:
        twin = next((j for j in kept if abs(correlation[j, k]) > most), None)
        if twin is None:
            kept.append(k)
        else:
            out[names[k]] = names[twin]
    return out


def correlations(z: Floats) -> Floats:
    """Return f8[experts, experts] correlations of z f8[n, experts] over rows where both are known; 0 without variance.

    Uncentred: z of 0 means that nothing is said, and both directions are alike.
    """
    finite = np.isfinite(z)
    x = np.where(finite, z, 0.0)
    squares = (x * x).T @ finite.astype(np.float64)
    scale = np.sqrt(squares * squares.T)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale > 0.0, (x.T @ x) / scale, 0.0)


def below_floor(reliability: Reliability, floor: float = FLOOR) -> bool | None:
    """Return whether an evaluation puts an expert below its floor; None when it had too few calls to say."""
    return None if reliability.calls < MIN_CALLS else reliability.high < floor


def run_below(before: int, verdict: bool | None) -> int:
    """Return how many evaluations in turn were below the floor; one that says nothing changes nothing."""
    if verdict is None:
        return before
    return before + 1 if verdict else 0


def is_killed(run: int, evaluations: int = EVALUATIONS) -> bool:
    """Return whether that many evaluations in turn switch an expert off."""
    return run >= evaluations


def _posterior(calls: int, wins: float, losses: float, rule: LabelRule, level: float) -> Reliability:
    from scipy.special import betaincinv

    def scaled(q: float) -> float:
        won, lost = q * rule.gain_bps, (1.0 - q) * rule.give_bps
        return won / (won + lost)

    tail = 0.5 * (1.0 - level)
    low, high = (float(betaincinv(wins, losses, p)) for p in (tail, 1.0 - tail))
    return Reliability(
        calls=calls, mean=scaled(wins / (wins + losses)), low=scaled(low), high=scaled(high), wins=wins, losses=losses
    )
