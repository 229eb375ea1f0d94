"""Is an active lesson still alive? The delayed-start, self-normalised e-process, as a value that grows block by block.

H0 "alive": the gain of a block is at least rho |claim| H. Each block gives y = (rho |claim| H - s D) / sqrt(v H), with
the variance rate v frozen at selection; exp(l y - l^2 y^2 / 2) has mean at most one under H0 for symmetric noise with
any tails. E_n = sum_{j <= n} (1/W) mean_l exp(sum_{i=j..n} g_i(l)) + 1 - n/W mixes all starting points: a lesson that
dies late is seen as fast as one that dies at once, and P(E ever >= 20 | alive) <= 1/20 however often one looks.
Weights are those of the propensity without braids, so the patch that is judged does not change its judge. Nothing is
reverted here. In the literature: e-processes, testing by betting, mixtures over change points (e-detectors).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import BeliefError
from lotus.hashing import round_learned
from lotus.learning.demean import demean
from lotus.learning.rows import DetectorRows
from lotus.priors.types import Rule
from lotus.timebase import BLOCKS_PER_DAY

RATES = (0.05, 0.1, 0.2, 0.4, 0.8)  # l, the betting fractions of the mixture
RHO = 0.8  # share of the claim below which a lesson counts as dead
REVERT_AT = 20.0  # 1 / 0.05
WARNING_DAYS, WARNING_T = 20, 2.0  # the rolling t: a light for people, never a reason to revert

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Monitor:
    """The state of one lesson's e-process.

    `claim_bps` is |claim|, `variance` v in bps^2 per unit of overlap weight, both frozen; `budget` W and `blocks` n in
    six-hour blocks; `sums[k]` = sum over starting points j of exp(sum_{i=j..n} g_i) at rate k; `peak` the largest E so
    far; `recent` the y of the last 20 days; `gain_sum`, `gain_square` the sums of x and x^2, x = s D / sqrt(v H), since
    selection; `last_day` the newest day taken in (a day is never taken twice).
    """

    sign: int
    claim_bps: float
    variance: float
    budget: int
    blocks: int = 0
    sums: tuple[float, ...] = (0.0,) * len(RATES)
    peak: float = 1.0
    recent: tuple[float, ...] = ()
    gain_sum: float = 0.0
    gain_square: float = 0.0
    last_day: str = ""

    def __post_init__(self) -> None:
        if not (self.claim_bps > 0.0 and self.variance > 0.0 and self.budget > 0 and self.sign in (-1, 1)):
            raise BeliefError(
                f"a monitor of claim {self.claim_bps} bps, variance {self.variance}, {self.budget} blocks",
                "positive numbers and a sign of 1 or -1",
                "a lesson without effect, or blocks without scatter",
            )

    @property
    def e_value(self) -> float:
        """E_n of the blocks so far, 1 before the first."""
        return sum(self.sums) / (len(RATES) * self.budget) + 1.0 - self.blocks / self.budget

    @property
    def dead(self) -> bool:
        """Whether the e-process has ever reached 20: the lesson is to be reverted."""
        return self.peak >= REVERT_AT

    @property
    def warning_t(self) -> float:
        """t of the shortfall over the last 20 days, positive when the lesson earns less than it must."""
        square = sum(y * y for y in self.recent)
        return sum(self.recent) / math.sqrt(square) if square > 0.0 else 0.0

    @property
    def fresh_t(self) -> float:
        """t of the gain since selection in the lesson's own direction: the new evidence that an extension needs."""
        return self.gain_sum / math.sqrt(self.gain_square) if self.gain_square > 0.0 else 0.0

    @property
    def warning(self) -> bool:
        """Whether the rolling t lights up; it reverts nothing."""
        return self.warning_t > WARNING_T


@dataclass(frozen=True, slots=True)
class Blocks:
    """Per six-hour block: learning day, D = sum of demeaned scores in the rule (bps), H = sum of overlap weights."""

    day: tuple[str, ...]
    gain: Floats
    weight: Floats


def watch(sign: int, claim_bps: float, variance: float, days: int, selected: str = "") -> Monitor:
    """Return the monitor of a lesson selected on a day; `days` = time to live with its extension."""
    claim, rate = round_learned(np.array([abs(claim_bps), variance]))
    return Monitor(sign, float(claim), float(rate), BLOCKS_PER_DAY * days, last_day=selected)


def inherit(monitor: Monitor, claim_bps: float, variance: float) -> Monitor:
    """Return the monitor of a challenger on the same axes: another claim, the same n and running terms."""
    claim, rate = round_learned(np.array([abs(claim_bps), variance]))
    return replace(monitor, claim_bps=float(claim), variance=float(rate))


def observe(monitor: Monitor, blocks: Blocks) -> Monitor:
    """Return the monitor after blocks of days later than `last_day`, in order; blocks without weight are skipped.

    Days taken in before are ignored, so a day that is learned again changes nothing. After W blocks a new budget
    begins: all starting points anew.
    """
    after = monitor
    for day, gain, weight in zip(blocks.day, blocks.gain, blocks.weight, strict=True):
        if day <= monitor.last_day or not weight > 0.0:
            continue
        after = _step(after, float(gain), float(weight))
    newest = max(blocks.day, default="")
    return replace(after, last_day=max(newest, monitor.last_day))


def _step(monitor: Monitor, gain: float, weight: float) -> Monitor:
    unit = math.sqrt(monitor.variance * weight)
    earned = _rounded(monitor.sign * gain / unit)
    y = _rounded((RHO * monitor.claim_bps * weight - monitor.sign * gain) / unit)
    fresh = monitor.blocks >= monitor.budget
    sums = (0.0,) * len(RATES) if fresh else monitor.sums
    after = replace(
        monitor,
        blocks=1 if fresh else monitor.blocks + 1,
        sums=tuple(_grown(total, rate, y) for rate, total in zip(RATES, sums, strict=True)),
        recent=(*monitor.recent, y)[-WARNING_DAYS * BLOCKS_PER_DAY :],
        gain_sum=_rounded(monitor.gain_sum + earned),
        gain_square=_rounded(monitor.gain_square + earned * earned),
    )
    return replace(after, peak=max(monitor.peak, after.e_value))


def _grown(total: float, rate: float, y: float) -> float:
    return _rounded((total + 1.0) * mathx.exp(rate * y - 0.5 * rate * rate * y * y))


def _rounded(value: float) -> float:
    return float(f"{value:.8e}")


def unpatched_blocks(rows: DetectorRows, rule: Rule, others: Sequence[Rule]) -> Blocks:
    """Return D and H per block of a rule at the propensity without braids, demeaned on the hats and the OTHER rules."""
    residual, h0 = unpatched_residual(rows, [other for other in others if other != rule])
    inside = rows.covered(rule)
    days = tuple(rows.days[d] for d in rows.lane_day)
    return Blocks(days, _by_block(rows, residual, inside), _by_block(rows, h0, inside))


def unpatched_residual(rows: DetectorRows, others: Sequence[Rule]) -> tuple[Floats, Floats]:
    """Return (r, h0) [n] of the windows: f0 demeaned in the day on the hats and on the rules of `others`.

    f0 = h0 P + A (h0 / p)(Y - P), h0 = p0 (1 - p0), logit p0 = u0: E[f0] = h0 E[Y] under the patched draw.
    """
    p0 = 1.0 / (1.0 + np.exp(-rows.u0))
    h0 = p0 * (1.0 - p0)
    control = _control(rows)
    executed = rows.published & ~np.isnan(rows.payoff_y)
    surprise = np.where(executed, rows.payoff_y - control, 0.0)
    f0 = h0 * (control + surprise / rows.p)
    basis = rows.basis(tuple(sorted(set(others))))
    return demean(basis, h0, f0, rows.day, len(rows.days)), h0


def _by_block(rows: DetectorRows, values: Floats, inside: NDArray[np.bool_]) -> Floats:
    sums = np.bincount(rows.lane[inside], weights=values[inside], minlength=rows.n_lanes)
    return np.asarray(sums, dtype=np.float64)


def _control(rows: DetectorRows) -> Floats:
    """Return P; where it is null, the control that the score was made with, solved out of f (0 where p is 1)."""
    left = 1.0 - rows.p
    missing = np.isnan(rows.payoff_p)
    if not missing.any():
        return rows.payoff_p
    safe = np.where(left > 0.0, left, 1.0)
    taken = (np.nan_to_num(rows.payoff_y) - rows.f / safe) / safe
    used = np.where(rows.published & ~np.isnan(rows.payoff_y), taken, rows.f / np.where(rows.h > 0.0, rows.h, 1.0))
    return np.where(missing, np.where(left > 0.0, used, 0.0), rows.payoff_p)


def variance_rate(blocks: Blocks, uplift_bps: float) -> float:
    """Return v = sum (D - U H)^2 / sum H, bps^2 per unit of overlap weight; 0 without weight."""
    total = float(blocks.weight.sum())
    spread = float(((blocks.gain - uplift_bps * blocks.weight) ** 2).sum())
    return spread / total if total > 0.0 else 0.0
