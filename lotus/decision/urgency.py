"""How soon a target should be reached, from the asymmetry of its coin: a hint beside the target, never an order.

immediate: score and timing at 0.7 or more, and detectors in step (0.5): payoffs may be one-sided now
iceberg:   a depth vacuum of two deviations: size that shows itself moves the price
patient:   everything else

The cues are means over the detectors that spoke in the coin's newest window. The hint scales nothing; what a coin is
expected to pay stays as it was. The learnt term `urgency` of a plan is another thing (`plan_terms`).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lotus.decision.alphas import CueInput

STRONG: Final = 0.7
IN_STEP: Final = 0.5
VACUUM: Final = 2.0  # deviations
DEPTH: Final = "Z_D"


class Urgency(StrEnum):
    """How soon."""

    IMMEDIATE = "immediate"
    ICEBERG = "iceberg"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Asymmetry:
    """The score of a coin in [0, 1], the sizes of its measured components in deviations, and the hint."""

    score: float
    drivers: tuple[tuple[str, float], ...]
    urgency: Urgency


def asymmetry_of(cues: Sequence[CueInput]) -> Asymmetry | None:
    """Return the asymmetry that the cues of one window of a coin tell, None where none of them measured it."""
    score = _mean(cue.asymmetry for cue in cues)
    if score is None:
        return None
    sizes: dict[str, list[float]] = {}
    for cue in cues:
        for name, size in cue.components:
            sizes.setdefault(name, []).append(size)
    drivers = tuple((name, math.fsum(values) / len(values)) for name, values in sorted(sizes.items()))
    timing, step = _mean(cue.kairos for cue in cues), _mean(cue.entrain for cue in cues)
    if min(score, timing or 0.0) >= STRONG and (step or 0.0) >= IN_STEP:
        return Asymmetry(score, drivers, Urgency.IMMEDIATE)
    thin = dict(drivers).get(DEPTH, 0.0) >= VACUUM
    return Asymmetry(score, drivers, Urgency.ICEBERG if thin else Urgency.PATIENT)


def _mean(values: Iterable[float | None]) -> float | None:
    measured = sorted(value for value in values if value is not None)
    return math.fsum(measured) / len(measured) if measured else None
