"""Is a lesson that rose still alive? A doubt begins at a bad day, and reverts the lesson or is over within days.

The monitor (`lotus.learning.monitor`) pays for every block at which a lesson may have died; of a lesson of level >= 1
the law knows where to begin: after a day that paid less than nothing, or one that cost a level (`trust`). Of the days
after it every hour gives y = (rho |claim| H - s D) / sqrt(v H) in lane S at the logged propensities, and E = mean over
l in `RATES` of prod (1 + tanh(l y)). A living lesson pays rho |claim| or more: y is then symmetric around something
<= 0 and E ever reaches c with probability at most 1 / c (Ville), whatever made the doubt begin. Hours tell more than
six of them: what bets on signs keep of the evidence in a day grows with the number of its parts. The k-th doubt of a
life needs 20 k (k + 1) / 2, so all of them together revert a living lesson with at most 10 %; `trust-alive` of the
evidence counts how often it happens. At E <= 1 / 20 a doubt is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.learning.demean import demean
from lotus.learning.effect import residuals
from lotus.learning.monitor import RHO, Blocks, Monitor, blocks_of
from lotus.learning.rows import DetectorRows
from lotus.priors.types import Rule

RATES = (0.2, 0.4, 0.8, 1.6)  # l, the betting fractions of the mixture
DEAD_AT, OVER_AT = 20.0, 20.0  # E at which the first doubt of a life reverts, and 1 / E at which a doubt is over
HOUR_MS = 3_600_000
EMPTY = 1e-12

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Doubt:
    """The doubt in one lesson: its `number` in the life, from 1, and ln of the products per rate since it began."""

    number: int
    logs: tuple[float, ...] = (0.0,) * len(RATES)

    @property
    def e_value(self) -> float:
        """E against its being alive, at most e^700."""
        return mathx.exp(mixed(self.logs))

    @property
    def needed(self) -> float:
        """The E that reverts.

        >>> Doubt(1).needed, Doubt(3).needed
        (20.0, 120.0)
        """
        return DEAD_AT * self.number * (self.number + 1) / 2.0

    @property
    def dead(self) -> bool:
        """Whether the lesson is to be reverted."""
        return self.e_value >= self.needed

    @property
    def over(self) -> bool:
        """Whether the lesson has shown itself alive."""
        return self.e_value * OVER_AT <= 1.0

    def after(self, short: Sequence[float]) -> "Doubt":
        """Return the doubt after hours that fall short of the claim by so many deviations (`shortfalls`)."""
        bets = (sum(bet(rate * y) for y in short) for rate in RATES)
        return replace(self, logs=tuple(rounded(x + more) for x, more in zip(self.logs, bets, strict=True)))


def rule_blocks(rows: DetectorRows, rule: Rule, others: Sequence[Rule]) -> Blocks:
    """Return D and H of a rule per six-hour block of `rows`, in both lanes, at the logged propensities.

    `others`: the rules in force beside this one; the baseline holds them, and never the rule itself.
    """
    left = residuals(rows, tuple(sorted({other for other in others if other != rule})))
    inside = rows.covered(rule).astype(np.float64)
    return blocks_of(rows, left, inside, inside)


def claimed(rows: DetectorRows, rule: Rule, others: Sequence[Rule]) -> tuple[Floats, Floats]:
    """Return r of lane S and the overlap weight that the claim counts [n], at the logged propensities, 0 outside.

    A claim is an uplift over the day's average. A tilt makes the rule's windows weigh more in that average, so r shows
    less of the same effect: h is taken times the share of the rule that the baseline does not absorb, at the logged
    propensities over that at the ones without braids.
    """
    inside, basis = rows.covered(rule), rows.basis(tuple(sorted({other for other in others if other != rule})))

    def left(h: Floats, f: Floats) -> Floats:
        r = demean(basis, rows.weight * h, rows.weight * f, rows.day, len(rows.days))
        return np.where(inside, r, 0.0)

    def kept(h: Floats) -> float:
        return float(left(h, h * inside).sum() / max((rows.weight * h)[inside].sum(), EMPTY))

    p0 = 1.0 / (1.0 + np.exp(-rows.u0))
    now, plain = kept(rows.h), kept(p0 * (1.0 - p0))
    share = now / plain if plain > 0.0 else 1.0
    return left(rows.h, rows.f), np.where(inside, share * rows.weight * rows.h, 0.0)


def claimed_blocks(rows: DetectorRows, rule: Rule, others: Sequence[Rule]) -> Blocks:
    """Return these sums per six-hour block: what the monitor of a lesson of level >= 1 sees.

    Lane S alone: the level of earlier days, which lane F takes off, holds what the rule's tilted windows paid.
    """
    r, h = claimed(rows, rule, others)
    gain, weight = (np.bincount(rows.lane, weights=x, minlength=rows.n_lanes) for x in (r, h))
    return Blocks(tuple(rows.days[d] for d in rows.lane_day), gain.astype(np.float64), weight.astype(np.float64))


def shortfalls(r: Floats, h: Floats, hour: NDArray[np.int64], monitor: Monitor) -> tuple[float, ...]:
    """Return y of every hour with weight from `claimed`; claim and noise are those that the lesson's monitor froze."""
    gain, weight = (np.bincount(hour - hour.min(initial=0), weights=x) for x in (r, h))
    some = weight > 0.0
    missing = RHO * monitor.claim_bps * weight[some] - monitor.sign * gain[some]
    return tuple(rounded(float(y)) for y in missing / np.sqrt(monitor.variance * weight[some]))


def mixed(logs: Sequence[float]) -> float:
    """Return ln of the mean of the products whose logarithms are given."""
    top = max(logs)
    return rounded(top + mathx.log(sum(mathx.exp(x - top) for x in logs) / len(logs)))


def bet(y: float) -> float:
    """Return ln(1 + tanh y): mean one for symmetric noise before the logarithm, whatever its tails."""
    return mathx.log(2.0) - mathx.log(1.0 + mathx.exp(-2.0 * y))


def rounded(value: float) -> float:
    """Return a value to nine digits: what is kept does not depend on the machine."""
    return float(f"{value:.8e}")
