"""The stretch that audits look at, the returns after it, and rank correlation."""

import numpy as np
import pytest
from audit_signals import DAY, SEED, START_MS, market
from scipy.stats import spearmanr

from lotus.detectors.audits import sample
from lotus.microtape.frames import spec as c

FRAMES = market()


def test_forward_returns_are_those_of_a_plain_loop() -> None:
    rng = np.random.default_rng(5)
    frames = sample.rows_of(FRAMES, np.flatnonzero(rng.random(len(FRAMES)) < 0.08))
    asset, start = rng.integers(0, 3, 200), START_MS + rng.integers(-10_000, 46 * 60_000, 200)
    found = sample.forward_returns(frames, asset, start, start + 30_000)

    def mid(index: int, at: int) -> float:
        rows = [i for i in frames.ints.tolist() if i[c.I_ASSET] == index and i[c.I_END] <= at]
        fresh = rows and at - rows[-1][c.I_END] <= sample.FRESH_MS
        return float(rows[-1][c.I_MID2]) if fresh else float("nan")

    plain = [1e4 * (mid(a, t + 30_000) / mid(a, t) - 1.0) for a, t in zip(asset.tolist(), start.tolist(), strict=True)]
    assert np.isfinite(found).sum() > 50
    assert np.isnan(found).sum() > 20
    np.testing.assert_array_equal(found, plain)


def test_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(2)
    s, r = np.round(rng.normal(size=500), 1), rng.standard_t(2, 500)
    r += 0.5 * s
    r[::7] = np.nan
    known = np.isfinite(r)
    assert sample.correlation(s, r) == pytest.approx(float(spearmanr(s[known], r[known]).statistic), abs=1e-12)
    assert sample.correlation(r, r) == pytest.approx(1.0)
    assert sample.correlation(s[:30], r[:30]) == 0.0, "too few"
    assert sample.correlation(np.zeros(500), r) == 0.0


def test_the_stretch_is_drawn_and_bounded() -> None:
    one = sample.stretch(FRAMES, SEED, DAY, 900)
    assert len(one) == 900
    assert np.array_equal(sample.stretch(FRAMES, SEED, DAY, 900).ints, one.ints)
    assert not np.array_equal(sample.stretch(FRAMES, SEED, "2026-01-06", 900).ints, one.ints)
    assert len(sample.stretch(FRAMES, SEED, DAY, 10**9)) == len(FRAMES)
    draws = sample.uniforms(20_000, "a", 1)
    assert 0.0 <= draws.min() < draws.max() < 1.0
    assert abs(draws.mean() - 0.5) < 0.01
    assert not np.array_equal(draws, sample.uniforms(20_000, "a", 2))
