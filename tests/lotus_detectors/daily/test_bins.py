"""Thresholds and edges of a day: equations solved, quantiles symmetric where the sign means something."""

import numpy as np
import pytest

from lotus.detectors.daily.bins import threshold
from lotus.detectors.daily.history import MAX_ASSETS
from lotus.manifest import ScoreDefaults
from lotus.priors.vocabulary import ALIGNED, FEATURE_NAMES, N_BINS

SCORE = ScoreDefaults()


def test_threshold_solves_its_equation_and_bounds_the_temperature() -> None:
    rng = np.random.default_rng(4)
    for sd, expected in ((0.01, 0.05), (0.3, 0.15), (5.0, 0.25)):
        x = rng.normal(-1.5, sd, 4000)
        tau, t = threshold(x, SCORE)
        assert t == pytest.approx(expected, rel=0.05)
        p = np.clip(1 / (1 + np.exp(-(x - np.log(tau)) / t)), 0.02, 0.98)
        assert p.mean() == pytest.approx(0.13, abs=1e-6)
    assert threshold(np.zeros(199), SCORE) is None


def test_edges_are_quantiles_symmetric_where_signed(chain) -> None:
    tables, recent = chain.tables[12], chain.history[5:12]
    for a, features in enumerate(tables.edges):
        for f, edges in enumerate(features):
            assert len(edges) == N_BINS[f] - 1
            assert list(edges) == sorted(edges)
            if ALIGNED[f]:
                assert edges == tuple(-x for x in edges[::-1])
            x = np.concatenate([h.x[h.key % MAX_ASSETS == a, f] for h in recent])
            if FEATURE_NAMES[f] in ("vol", "depth_slope", "oi", "spread"):
                share = np.bincount(np.searchsorted(edges, x[np.isfinite(x)]), minlength=5) / np.isfinite(x).sum()
                assert share == pytest.approx(0.2, abs=0.002)
        assert features[FEATURE_NAMES.index("session")] == (0.5, 1.5, 2.5)
