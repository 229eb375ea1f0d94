"""Readings of a few days and assets."""

import numpy as np

from lotus.own_signals.report.readings import Edges, Readings
from lotus.priors.vocabulary import Feature, Vocabulary

WORDS = Vocabulary((Feature("x_a", 5, ""), Feature("x_b", 3, ""), Feature("x_c", 4, "", reading="range")))
DAYS = np.repeat(np.arange(3), 2)
ASSETS = np.tile([0, 1], 3)


def readings(shift=0.0):
    """Return three days of two assets; the edges of the second lie `shift` higher."""
    base = np.array([-1.0, 0.0, 1.0, 2.0]) + 0.1 * DAYS[:, None] + shift * ASSETS[:, None]
    edges = {f.name: Edges(ASSETS, DAYS, base[:, : f.bins - 1]) for f in WORDS.features}
    spoke = {"both": np.stack([ASSETS, DAYS], axis=1), "one": np.array([[0, 0], [0, 1]])}
    return Readings(edges, {}, ("BTC", "ETH"), spoke)
