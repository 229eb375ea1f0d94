"""The parts of daily quality by hand, and Newey-West against a dense matrix."""

import numpy as np
import pytest
from made_days import made

from lotus.detectors.daily import quality
from lotus.detectors.daily.history import MAX_ASSETS


def test_quality_parts_by_hand() -> None:
    rng = np.random.default_rng(2)
    s = rng.choice([-1.0, -0.5, 0.5, 1.0], 600)
    ret = 4.0 * s + rng.normal(0, 10, 600)
    ret[:5] = 0.0
    payoff = np.sign(s) * ret - 2.0
    m = made(payoff, ret, s)
    right = np.where(ret == 0, 0.5, np.sign(ret) == np.sign(s))
    assert quality.accuracy(m) == pytest.approx(np.average(right, weights=np.abs(s)))
    slope, cut = np.polyfit(s, ret, 1)
    white = np.sqrt(np.sum(((s - s.mean()) * (ret - cut - slope * s)) ** 2)) / np.sum((s - s.mean()) ** 2)
    assert quality.precision(m, 0) == pytest.approx(min(slope / white / 4, 1.0))
    ratios = np.array([payoff[m.day == d].mean() / payoff[m.day == d].std() for d in range(12)])
    mean = max(ratios.mean(), 0)
    assert quality.stability(m) == pytest.approx(mean / (mean + ratios.std(ddof=1) / np.sqrt(12)))
    gross = (np.sign(s) * ret).mean()
    assert quality.cost_share(m) == pytest.approx(2.0 / (2.0 + gross))
    other = made(payoff + rng.normal(0, 10, 600), ret, s, key=m.key)
    stranger = made(rng.normal(0, 1, 600), key=m.key + 10**9 * MAX_ASSETS)
    corr = np.corrcoef(payoff, other.payoff)[0, 1]
    assert quality.orthogonality([m, other, stranger], 0) == pytest.approx(1 - corr)
    assert quality.orthogonality([m, stranger], 0) is None
    parts, missing = quality.quality([m, other], 0, 6)
    assert not missing
    weights = np.array([0.35, 0.25, 0.20, 0.20, -0.20])
    names = ("accuracy", "precision", "stability", "orthogonality", "cost")
    assert parts["score"] == pytest.approx(weights @ [parts[name] for name in names])
    short = made(payoff, ret, s, day=np.arange(600) * 9 // 600)
    assert quality.quality([short], 0, 6)[0]["score"] == 0.5


def test_newey_west_against_a_dense_matrix() -> None:
    rng = np.random.default_rng(7)
    time = np.sort(rng.choice(300, 200))
    score = rng.normal(size=200)
    u = np.bincount(time, weights=score, minlength=300)
    gap = np.abs(np.subtract.outer(np.arange(300), np.arange(300)))
    weight = np.maximum(1 - gap / 7.0, 0.0)
    assert quality.newey_west(time, score, 6) == pytest.approx(u @ weight @ u)
