"""What a day of the closed loop of trust is worth at equal alerts, beside an oracle that knows the planted rules."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.equal_alerts import equal_alerts, probability
from benchmarks.lessons.trust_loop import Planted, TrustLoop
from benchmarks.lessons.trust_parts import tilts

Floats = NDArray[np.float64]


def gained(loop: TrustLoop, day: int, planted: Planted) -> tuple[float, float, float]:
    """Return what a day's patches and the oracle's are worth at equal alerts, expected; and the patches' as drawn; bps.

    The oracle tilts the planted rules of the first detector by the highest cap, under the same bounds and floor.
    """
    best = worth_of(loop, day, planted, loop.how.weave.trust_caps[-1]) if planted else 0.0
    if not loop.held and loop.how.arm != "thompson":
        return 0.0, best, 0.0
    u0, mean, draw, paid = _of_day(loop, day)
    off = probability(u0)
    on = equal_alerts(loop.p[:, loop.window(day)], float(off.sum()))
    drawn = float(paid[draw < on].sum()) - float(paid[draw < off].sum())
    return float(((on - off) * mean).sum()), best, drawn


def worth_of(loop: TrustLoop, day: int, planted: Planted, cap: float) -> float:
    """Return what tilting the planted rules of the first detector by `cap` is worth on a day at equal alerts, bps."""
    u0, mean, _, _ = _of_day(loop, day)
    off, u = probability(u0), u0.copy()
    level = int(cap > loop.how.weave.max_tilt)
    rules = [(float(np.sign(bps)) * cap, level, cap, loop.mask(0, rule, day)) for rule, bps in planted]
    u[0] += tilts(u0[0], rules, loop.how.weave)
    return float(((equal_alerts(probability(u), float(off.sum())) - off) * mean).sum())


def _of_day(loop: TrustLoop, day: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return logits before patches, expected payoffs, draws and payoffs of a day [detectors, windows]."""
    at = loop.window(day)
    u0, mean, draw, paid = (
        np.stack([getattr(track, name)[at] for track in loop.tracks]) for name in ("u0", "mean", "draw", "executed")
    )
    return u0, mean, draw, paid
