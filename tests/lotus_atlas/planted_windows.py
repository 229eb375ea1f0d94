"""Scored windows whose truth is known: what each step pays on paper and in execution, and what publishing changes."""

import numpy as np

from lotus.atlas.series import STEP_MS, MaturedWindows
from lotus.timebase import DAY_MS, HOUR_MS

DAY0_MS = 20_454 * DAY_MS  # 2026-01-01
PER_DAY, EACH, CHANCE = 72, 8, 0.4  # steps of a day (08:00 to 20:00), windows of a step, propensity


def steps_ms(days: int) -> np.ndarray:
    """Return the beginnings of the steps of some days."""
    one = 8 * HOUR_MS + np.arange(PER_DAY) * STEP_MS
    return (DAY0_MS + np.arange(days)[:, None] * DAY_MS + one).ravel()


def planted(seed: int, paper: np.ndarray, execution: np.ndarray, impact: float = 0.0) -> MaturedWindows:
    """Return windows of steps that pay `paper` bps, executed `execution` bps better, and `impact` more if published."""
    rng = np.random.default_rng(seed)
    n = len(paper)
    start = np.repeat(steps_ms(n // PER_DAY), EACH)
    published = rng.random(n * EACH) < CHANCE
    worth = np.repeat(paper, EACH) + rng.normal(size=n * EACH) + impact * published
    gained = np.repeat(execution, EACH) + 0.5 * rng.normal(size=n * EACH)
    return MaturedWindows(
        end_ms=start + 5_000 * rng.integers(1, 50, n * EACH),
        horizon_ms=np.full(n * EACH, 300_000),
        p=np.full(n * EACH, CHANCE),
        published=published,
        paper=worth,
        executed=np.where(published, worth + gained, np.nan),
    )


def noise(seed: int, days: int) -> np.ndarray:
    """Return one independent value for each step of some days."""
    return np.random.default_rng([9, seed]).normal(size=days * PER_DAY)
