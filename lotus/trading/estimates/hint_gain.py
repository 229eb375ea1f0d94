"""What joining paid more than crossing under each route hint, from probes whose style was drawn at random.

The draw knows nothing of the hint, so within a hint the difference is its own, whatever the hint looked at: a hint
that knows something pays to follow. With A = 1 for joining, p its probability and Y the net payoff in bps, the gain is
the mean of (A - p) (Y - mean Y) / (p (1 - p)). In the literature: stratified randomised experiment, inverse propensity
weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lotus.outcomes.intervals import clustered_error
from lotus.timebase import BLOCK_MS


@dataclass(frozen=True, slots=True)
class TriedStyle:
    """A probe that crossed or joined by a draw; `hint` is the route that was hinted, "" where nothing was known."""

    hint: str
    joined: bool
    propensity: float
    net_bps: float
    time_ms: int


@dataclass(frozen=True, slots=True)
class HintGain:
    """Under one hint: probes that crossed and joined, and what joining paid more, with its 95 % interval.

    The interval is over blocks of six hours, None below five of them.
    """

    hint: str
    crossed: int
    joined: int
    gain_bps: float
    interval: tuple[float, float] | None


def hint_gains(rows: Sequence[TriedStyle]) -> list[HintGain]:
    """Return the gain under every hint, in their order."""
    return [_gain(hint, [row for row in rows if row.hint == hint]) for hint in sorted({row.hint for row in rows})]


def _gain(hint: str, rows: Sequence[TriedStyle]) -> HintGain:
    arm = np.array([row.joined for row in rows], np.float64)
    p = np.array([row.propensity for row in rows])
    paid = np.array([row.net_bps for row in rows])
    values = (arm - p) * (paid - paid.mean()) / (p * (1.0 - p))
    mean = float(values.mean())
    _, reach = clustered_error(values - mean, np.array([row.time_ms // BLOCK_MS for row in rows], np.float64))
    joined = int(arm.sum())
    interval = None if np.isnan(reach) else (mean - reach, mean + reach)
    return HintGain(hint, len(rows) - joined, joined, mean, interval)
