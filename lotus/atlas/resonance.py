"""Resonance frequency: the dominant rhythm of a module's execution quality, in cycles per hour, with its chance.

The series is unevenly sampled (one value an execution), so its periodogram is Lomb's with a floating mean; the highest
peak is reported together with the probability that white noise of this size and sampling has one as high (Baluev's
upper bound). A frequency whose probability is above `ALARM` is no rhythm and is not told. Nothing here knows what
quality is. References: Lomb (1976); Zechmeister and Kuerster (2009); Baluev (2008), "Assessing the statistical
significance of periodogram peaks".
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LedgerError
from lotus.hashing import round_learned

Floats = NDArray[np.float64]
LEAST_SAMPLES, CYCLES, OVERSAMPLING, MOST_FREQUENCIES = 50, 3, 5, 5_000
ALARM = 0.01  # chance above which the highest peak is taken for noise
MS_PER_HOUR = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Resonance:
    """The highest peak: `per_hour` cycles an hour (None when it may be noise), its share of the variance, its chance.

    `support` is the number of samples; without enough of them everything else is None.
    """

    support: int
    per_hour: float | None = None
    power: float | None = None
    false_alarm: float | None = None

    @property
    def reason(self) -> str:
        """Why there is no frequency; empty when there is one."""
        if self.per_hour is not None:
            return ""
        if self.support < LEAST_SAMPLES:
            return f"{self.support} samples, {LEAST_SAMPLES} are needed"
        if self.false_alarm is None:
            return "the series is flat or has no span"
        return f"the highest peak may be noise: chance {self.false_alarm:.2g}, {ALARM:g} is allowed"


def resonance(time_ms: NDArray[np.int64], quality: Floats) -> Resonance:
    """Return the dominant frequency of `quality` [n] sampled at `time_ms` [n], ms UTC, any order.

    Frequencies from `CYCLES` cycles over the span to the mean Nyquist frequency n / (2 span), at most
    `MOST_FREQUENCIES` of them. Fewer than `LEAST_SAMPLES` samples, no span or no variance: nothing but the support.
    Raises `LedgerError` for values that are not finite or lengths that differ.
    """
    if len(time_ms) != len(quality) or not np.isfinite(quality).all():
        shapes = f"{len(time_ms)} times, {len(quality)} values, {int((~np.isfinite(quality)).sum())} of them not finite"
        raise LedgerError(shapes, "one finite value at each time", "an execution without a quality belongs left out")
    n = len(quality)
    span_h = float(np.ptp(time_ms)) / MS_PER_HOUR if n else 0.0
    if n < LEAST_SAMPLES or span_h <= 0.0 or float(np.ptp(quality)) <= 0.0:
        return Resonance(n)
    from scipy.signal import lombscargle

    order = np.argsort(time_ms, kind="stable")
    hours = (time_ms[order] - time_ms[order[0]]) / MS_PER_HOUR
    values = quality[order]
    values = values - values.mean()
    lowest, highest = CYCLES / span_h, n / (2.0 * span_h)
    count = min(MOST_FREQUENCIES, math.ceil((highest - lowest) * span_h * OVERSAMPLING))
    per_hour = np.linspace(lowest, highest, count)
    power = lombscargle(hours, values, 2.0 * np.pi * per_hour, floating_mean=True, normalize=True)
    power = round_learned(power)
    best = int(np.argmax(power))  # of equal peaks the slowest
    chance = float(round_learned(np.array([false_alarm(float(power[best]), hours, highest)]))[0])
    significant = float(per_hour[best]) if chance <= ALARM else None
    return Resonance(n, significant, float(power[best]), chance)


def false_alarm(power: float, hours: Floats, highest: float) -> float:
    """Return the chance that noise at `hours` has a peak of `power` (share of variance) below `highest` per hour.

    Baluev's upper bound: 1 - (1 - P1) exp(-tau), P1 = (1 - z)^((n-3)/2),
    tau = W g (1 - z)^((n-4)/2) sqrt((n-1) z / 2), W = highest sqrt(4 pi var t).
    """
    n, z = len(hours), min(max(power, 0.0), 1.0)
    if z >= 1.0:
        return 0.0
    gamma = math.sqrt(2.0 / (n - 1)) * math.exp(math.lgamma((n - 1) / 2.0) - math.lgamma((n - 2) / 2.0))
    width = highest * math.sqrt(4.0 * math.pi * float(np.var(hours)))
    single = (1.0 - z) ** ((n - 3) / 2.0)
    tau = width * gamma * (1.0 - z) ** ((n - 4) / 2.0) * math.sqrt((n - 1) * z / 2.0)
    return float(1.0 - (1.0 - single) * math.exp(-tau))
