"""Outcomes of sources whose edge is known: what a score of x truly pays, plus noise."""

from collections.abc import Callable

import numpy as np

from lotus.decision.calibration import Outcome
from lotus.timebase import next_day

FIRST_DAY = "2025-06-01"


def past(
    source: str, days: int, per_day: int, edge: Callable[[float], float], *, noise: float = 20.0, seed: int = 0,
    regime: str = "all", horizon_s: int = 300, half_life_s: float = 0.0,
) -> list[Outcome]:  # fmt: skip
    """Return `per_day` outcomes on each of `days` days; with a half-life, mark-outs at a tenth and half of the way."""
    rng = np.random.default_rng(seed)
    made: list[Outcome] = []
    for k in range(days):
        day = next_day(FIRST_DAY, k)
        for i in range(per_day):
            score = float(rng.uniform())
            paid = edge(score) + float(rng.normal()) * noise
            marks: tuple[tuple[int, float], ...] = ()
            if half_life_s:
                whole = 1.0 - 2.0 ** (-horizon_s / half_life_s)
                times = (horizon_s // 10, horizon_s // 2)
                marks = tuple((t, paid * (1.0 - 2.0 ** (-t / half_life_s)) / whole) for t in times)
            event = f"{source}-{regime}-{day}-{i}"
            made.append(Outcome(event, source, horizon_s, regime, score, paid, day, day, marks))
    return made
