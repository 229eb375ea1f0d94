"""Whether a candidate in shadow has shown, on days to come alone, that it adds something: the gate to settlement.

S_d = sum of s F~ of a forward day, H_d = sum of s^2, v = sum S^2 / sum H of the span, frozen as it enters. Each day
gives y = S_d / sqrt(v H_d) and E = mean over l of exp sum(l y - l^2 y^2 / 2): without an edge and with days as likely
up as down, E has mean at most one whatever was searched before, so P(E ever >= 4,000) <= 1 / 4,000 for each of the 40
that may enter a year, 1 % a year together. Days that are not so (many small gains, a rare large loss) break the
promise; `benchmarks.breeding.gate_years` says by how much. (Literature: e-processes, self-normalised sums, Ville's
inequality.)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lotus import mathx
from lotus.coprocessor.scoring import rounded
from lotus.errors import ConfigError
from lotus.timebase import next_day

RATES: Final = (0.05, 0.1, 0.2, 0.4, 0.8)  # l, the betting fractions of the mixture
ENTRANTS_A_YEAR: Final[int] = 40
ALPHA: Final[float] = 0.01  # any false settlement of a year
SETTLE_AT: Final[float] = ENTRANTS_A_YEAR / ALPHA
LEAST_DAYS, LEAST_SPOKEN, MOST_DAYS = 10, 100, 120
MOST_IN_SHADOW: Final[int] = 32


@dataclass(frozen=True, slots=True)
class GateState:
    """A candidate in shadow: `variance` v (bps^2 per unit of s^2), its forward days, the windows in which it spoke.

    `sums[k]` is sum(l y - l^2 y^2 / 2) at rate k; `peak` the largest E so far, which decides.
    """

    variance: float
    sums: tuple[float, ...] = (0.0,) * len(RATES)
    days: int = 0
    spoken: int = 0
    peak: float = 1.0

    @property
    def e_value(self) -> float:
        """E of the days so far, 1 before the first."""
        return rounded(sum(mathx.exp(min(x, 700.0)) for x in self.sums) / len(RATES))

    @property
    def state(self) -> str:
        """`shown` once E was reached with enough days and windows, `not_shown` after 120 without, else `shadow`."""
        if self.peak >= SETTLE_AT and self.days >= LEAST_DAYS and self.spoken >= LEAST_SPOKEN:
            return "shown"
        return "not_shown" if self.days >= MOST_DAYS else "shadow"


def enter(gains_bps: Sequence[float], weights: Sequence[float]) -> GateState:
    """Return the gate of a candidate from S (bps) and H of its span's days; raises `ConfigError` for a mute one."""
    total = float(sum(weights))
    square = float(sum(gain * gain for gain in gains_bps))
    if not (total > 0.0 and square > 0.0):
        raise ConfigError("a candidate that never spoke in its span", "days with a sum", "it cannot be judged")
    return GateState(rounded(square / total))


def observe(gate: GateState, gain_bps: float, weight: float, spoken: int) -> GateState:
    """Return the gate after a forward day: S, H and the windows in which it spoke; a silent day moves no E.

    >>> after = observe(GateState(1.0), 2.0, 4.0, 7)
    >>> after.days, after.spoken, round(after.e_value, 3)
    (1, 7, 1.268)
    """
    if weight <= 0.0:
        return replace(gate, days=gate.days + 1)
    y = rounded(gain_bps / math.sqrt(gate.variance * weight))
    sums = tuple(rounded(x + rate * y - 0.5 * rate * rate * y * y) for x, rate in zip(gate.sums, RATES, strict=True))
    after = replace(gate, sums=sums, days=gate.days + 1, spoken=gate.spoken + spoken)
    return replace(after, peak=max(after.peak, after.e_value))


def first_forward_day(night: str, knows_until: str | None) -> str | None:
    """Return the first day that counts: the second after the freeze, or after what a model may have read; None: never.

    `night` is the last day of the span; `knows_until` is "" where a model had a part of unknown reading.

    >>> first_forward_day("2026-03-01", None), first_forward_day("2026-03-01", "2026-05-01")
    ('2026-03-03', '2026-05-03')
    """
    if knows_until == "":
        return None
    return next_day(max(night, knows_until or night), 2)
