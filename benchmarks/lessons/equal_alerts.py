"""Propensities of logits, and the one shift that brings back the alerts: how arms of a world are made comparable."""

import numpy as np
from numpy.typing import NDArray

from lotus.simulation.learning_world import FLOOR

WIDEST, HALVINGS = 4.0, 60  # logit shift searched for equal alerts, and how finely
Floats = NDArray[np.float64]


def probability(u: Floats) -> Floats:
    """Return the propensity of logits, within its floor."""
    return np.clip(1.0 / (1.0 + np.exp(-u)), FLOOR, 1.0 - FLOOR)


def equal_alerts(p: Floats, alerts: float) -> Floats:
    """Return propensities shifted by one common logit so that they sum to `alerts`."""
    u = np.log(p / (1.0 - p))
    low, high = -WIDEST, WIDEST
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if probability(u + middle).sum() < alerts else (low, middle)
    return probability(u + 0.5 * (low + high))
