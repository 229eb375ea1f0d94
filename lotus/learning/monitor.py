"""Is an active lesson still alive? The delayed-start, self-normalised e-process, as a value that grows block by block.

H0 "alive": the gain of a block is at least rho |claim| H. Each block gives y = (rho |claim| H - s D) / sqrt(v H), with
the variance rate v frozen at selection; exp(l y - l^2 y^2 / 2) has mean at most one under H0 for symmetric noise with
any tails. E_n = sum_{j <= n} (1/W) mean_l exp(sum_{i=j..n} g_i(l)) + 1 - n/W mixes all starting points: a lesson that
dies late is seen as fast as one that dies at once, and P(E ever >= 20 | alive) <= 1/20 however often one looks.
Weights are those of the propensity without braids, so the patch that is judged does not change its judge. Both lanes
(`lanes`) are watched, and E is the mean of their two, itself an e-process: either lane may show that a lesson died.
Nothing is reverted here. In the literature: e-processes, testing by betting, mixtures over change points (e-detectors).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import BeliefError
from lotus.hashing import round_learned
from lotus.learning.effect import Residuals, residuals
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
    selection; `last_day` the newest day taken in (a day is never taken twice). Those are of lane S; `rest` is that of
    lane F (None for a lesson of before there were two), whose own peak counts for nothing.
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
    rest: "Monitor | None" = None

    def __post_init__(self) -> None:
        if not (self.claim_bps > 0.0 and self.variance > 0.0 and self.budget > 0 and self.sign in (-1, 1)):
            raise BeliefError(
                f"a monitor of claim {self.claim_bps} bps, variance {self.variance}, {self.budget} blocks",
                "positive numbers and a sign of 1 or -1",
                "a lesson without effect, or blocks without scatter",
            )

    @property
    def e_value(self) -> float:
        """E_n of the blocks so far, 1 before the first; the mean of both lanes."""
        own = sum(self.sums) / (len(RATES) * self.budget) + 1.0 - self.blocks / self.budget
        return own if self.rest is None else 0.5 * (own + self.rest.e_value)

    @property
    def dead(self) -> bool:
        """Whether the e-process has ever reached 20: the lesson is to be reverted."""
        return self.peak >= REVERT_AT

    @property
    def warning_t(self) -> float:
        """t of the shortfall over the last 20 days, of the worse lane; positive when the lesson earns too little."""
        square = sum(y * y for y in self.recent)
        own = sum(self.recent) / math.sqrt(square) if square > 0.0 else 0.0
        return own if self.rest is None else max(own, self.rest.warning_t)

    @property
    def fresh_t(self) -> float:
        """t of the gain since selection in the lesson's direction, of the weaker lane: what an extension needs."""
        own = self.gain_sum / math.sqrt(self.gain_square) if self.gain_square > 0.0 else 0.0
        return own if self.rest is None else min(own, self.rest.fresh_t)

    @property
    def warning(self) -> bool:
        """Whether the rolling t lights up; it reverts nothing."""
        return self.warning_t > WARNING_T


@dataclass(frozen=True, slots=True)
class Blocks:
    """Per six-hour block: learning day, D = sum of demeaned scores in the rule (bps), H = sum of overlap weights.

    Those are of lane S; `rest` holds the same blocks in lane F.
    """

    day: tuple[str, ...]
    gain: Floats
    weight: Floats
    rest: "Blocks | None" = None


def watch(sign: int, claim_bps: float, variance: float, days: int, selected: str = "") -> Monitor:
    """Return the monitor of one lane of a lesson selected on a day; `days` = time to live with its extension."""
    claim, rate = round_learned(np.array([abs(claim_bps), variance]))
    return Monitor(sign, float(claim), float(rate), BLOCKS_PER_DAY * days, last_day=selected)


def watch_blocks(
    sign: int, claim_bps: float, uplift_bps: float, blocks: Blocks, days: int, selected: str = ""
) -> Monitor | None:
    """Return the monitor of a lesson whose blocks at selection are given, in both lanes; None without scatter."""
    rate = variance_rate(blocks, uplift_bps)
    if claim_bps == 0.0 or not rate > 0.0:
        return None
    rest = watch_blocks(sign, claim_bps, uplift_bps, blocks.rest, days, selected) if blocks.rest else None
    return replace(watch(sign, claim_bps, rate, days, selected), rest=rest)


def inherit(monitor: Monitor, other: Monitor) -> Monitor:
    """Return the monitor of a challenger on the same axes: claim and noise of `other`, n and running terms so far."""
    rest = other.rest
    if monitor.rest is not None and other.rest is not None:
        rest = inherit(monitor.rest, other.rest)
    return replace(monitor, claim_bps=other.claim_bps, variance=other.variance, rest=rest)


def observe(monitor: Monitor, blocks: Blocks) -> Monitor:
    """Return the monitor after blocks of days later than `last_day`, in order; blocks without weight are skipped.

    Days taken in before are ignored, so a day that is learned again changes nothing. After W blocks a new budget
    begins: all starting points anew.
    """
    after, rest = monitor, monitor.rest
    for i, day in enumerate(blocks.day):
        if day <= monitor.last_day:
            continue
        if blocks.weight[i] > 0.0:
            after = _step(after, float(blocks.gain[i]), float(blocks.weight[i]))
        if rest is not None and blocks.rest is not None and blocks.rest.weight[i] > 0.0:
            rest = _step(rest, float(blocks.rest.gain[i]), float(blocks.rest.weight[i]))
        after = replace(after, rest=rest)
        after = replace(after, peak=max(after.peak, after.e_value))
    newest = max((*blocks.day, monitor.last_day))
    return replace(after, last_day=newest, rest=None if rest is None else replace(rest, last_day=newest))


def _step(monitor: Monitor, gain: float, weight: float) -> Monitor:
    unit = math.sqrt(monitor.variance * weight)
    earned = _rounded(monitor.sign * gain / unit)
    y = _rounded((RHO * monitor.claim_bps * weight - monitor.sign * gain) / unit)
    fresh = monitor.blocks >= monitor.budget
    sums = (0.0,) * len(RATES) if fresh else monitor.sums
    return replace(
        monitor,
        blocks=1 if fresh else monitor.blocks + 1,
        sums=tuple(_grown(total, rate, y) for rate, total in zip(RATES, sums, strict=True)),
        recent=(*monitor.recent, y)[-WARNING_DAYS * BLOCKS_PER_DAY :],
        gain_sum=_rounded(monitor.gain_sum + earned),
        gain_square=_rounded(monitor.gain_square + earned * earned),
    )


def _grown(total: float, rate: float, y: float) -> float:
    return _rounded((total + 1.0) * mathx.exp(rate * y - 0.5 * rate * rate * y * y))


def _rounded(value: float) -> float:
    return float(f"{value:.8e}")


def unpatched_blocks(rows: DetectorRows, rule: Rule, others: Sequence[Rule]) -> Blocks:
    """Return D and H per block of a rule at the propensity without braids, over the hats and the OTHER rules."""
    left = unpatched_residuals(rows, [other for other in others if other != rule])
    inside = rows.covered(rule).astype(np.float64)
    return blocks_of(rows, left, inside, inside)


def blocks_of(rows: DetectorRows, left: Residuals, moved: Floats, share: Floats) -> Blocks:
    """Return per block the sums of r `moved` [n] and of the weight times `share` [n], in both lanes."""
    days = tuple(rows.days[d] for d in rows.lane_day)

    def sums(values: Floats) -> Floats:
        return np.bincount(rows.lane, weights=values, minlength=rows.n_lanes).astype(np.float64)

    rest = Blocks(days, sums(left.r.rest * moved), sums(left.weight.rest * share))
    return Blocks(days, sums(left.r.day * moved), sums(left.weight.day * share), rest)


def unpatched_residuals(rows: DetectorRows, others: Sequence[Rule]) -> Residuals:
    """Return both lanes of the windows [n]: f0 over the hats and the rules of `others`.

    f0 = h0 P + A (h0 / p)(Y - P), h0 = p0 (1 - p0), logit p0 = u0: E[f0] = h0 E[Y] under the patched draw.
    """
    p0 = 1.0 / (1.0 + np.exp(-rows.u0))
    h0 = p0 * (1.0 - p0)
    control = _control(rows)
    executed = rows.published & ~np.isnan(rows.payoff_y)
    surprise = np.where(executed, rows.payoff_y - control, 0.0)
    f0 = h0 * (control + surprise / rows.p)
    return residuals(replace(rows, h=h0, f=f0), tuple(sorted(set(others))))


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
