"""Observer effects: what acting changed, from windows that chance published or held out.

The outcome is one that both kinds of windows have (the signed return net of modelled cost). With p the logged
probability of publication, A published and x the outcome,

    effect = sum A (1-p) x / sum A (1-p)  -  sum (1-A) p x / sum (1-A) p,

the difference of overlap-weighted means: zero unless being published moved the market. Its interval takes time blocks
as independent pieces, never windows. References: Li, Morgan and Zaslavsky (2018), overlap weights; Hajek (1971).
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LedgerError

Floats = NDArray[np.float64]
LEAST_BLOCKS, LEAST_WINDOWS = 20, 100


@dataclass(frozen=True, slots=True)
class ObserverEffect:
    """Difference in outcome, in the outcome's unit, with its 95 % interval; None without enough windows and blocks."""

    published: int
    held_out: int
    blocks: int
    effect: float | None = None
    ci95: tuple[float, float] | None = None

    @property
    def reason(self) -> str:
        """Why there is no effect; empty when there is one."""
        if self.effect is not None:
            return ""
        counts = f"{self.published} windows published, {self.held_out} held out, {self.blocks} blocks with both"
        return f"{counts}; {LEAST_WINDOWS} of each and {LEAST_BLOCKS} blocks are needed"


def observer_effect(
    p: Floats, published: NDArray[np.bool_], outcome: Floats, block: NDArray[np.int64]
) -> ObserverEffect:
    """Return what publishing changed; all [n]; `block` names the time block of each window.

    Windows with p = 0 or 1 weigh nothing and are not counted. Fewer than `LEAST_WINDOWS` windows of either kind or
    `LEAST_BLOCKS` blocks with both: no effect. Raises `LedgerError` for outcomes that are not finite.
    """
    drawn = (p > 0.0) & (p < 1.0)
    bad = drawn & ~np.isfinite(outcome)
    if bad.any():
        raise LedgerError(
            f"{int(bad.sum())} windows without a finite outcome", "an outcome of every window, published or not"
        )
    p, published, outcome, block = p[drawn], published[drawn], outcome[drawn], block[drawn]
    names, lane = np.unique(block, return_inverse=True)
    inside, outside = (np.where(side, weight, 0.0) for side, weight in ((published, 1.0 - p), (~published, p)))
    weights = [np.bincount(lane, weights=w, minlength=len(names)) for w in (inside, outside)]
    both = (weights[0] > 0.0) & (weights[1] > 0.0)
    n_in, n_out, n_blocks = int(published.sum()), int((~published).sum()), int(both.sum())
    if min(n_in, n_out) < LEAST_WINDOWS or n_blocks < LEAST_BLOCKS:
        return ObserverEffect(n_in, n_out, n_blocks)
    means, influence = [], np.zeros(len(names))
    for sign, w, total in ((1.0, inside, weights[0]), (-1.0, outside, weights[1])):
        mean = float((w * outcome).sum() / w.sum())
        means.append(mean)
        influence += sign * np.bincount(lane, weights=w * (outcome - mean), minlength=len(names)) / total.sum()
    from scipy.special import stdtrit

    n = len(names)
    se = math.sqrt(float((influence * influence).sum()) * n / (n - 1))
    effect, reach = means[0] - means[1], float(stdtrit(n - 1, 0.975)) * se
    return ObserverEffect(n_in, n_out, n_blocks, effect, (effect - reach, effect + reach))
