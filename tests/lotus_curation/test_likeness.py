"""Likeness of payoffs: a planted correlation is covered, twins are found, few days or windows say nothing."""

import numpy as np
import pytest

from lotus.curation.likeness import clusters, likenesses
from lotus.detectors.daily.quality import Matured, nobody


def payoffs(seed: int, days: int, windows: int, common: float, mine: np.ndarray | None = None) -> list[Matured]:
    """Two detectors whose payoffs share `common` of their variance in every window."""
    rng = np.random.default_rng(seed)
    n = days * windows
    shared, out = rng.normal(size=n), []
    for _ in range(2):
        p = np.sqrt(common) * shared + np.sqrt(1 - common) * rng.normal(size=n)
        day, key = np.repeat(np.arange(days), windows), np.arange(n)
        out.append(Matured(key, p, p, p, day, np.zeros((n, 12), np.uint8), p > 0, p))
    return out


def test_the_interval_covers_the_planted_correlation() -> None:
    lows = [likenesses("ab", payoffs(seed, 10, 200, 0.5))[0].low for seed in range(300)]
    below = float(np.mean(np.array(lows) <= 0.5))
    assert 0.955 <= below <= 0.995  # one side of a 95 % interval


def test_twins_are_found_and_strangers_are_not() -> None:
    (twin,) = likenesses("ab", payoffs(1, 8, 100, 0.999))
    assert twin.low > 0.99
    assert twin.days == 8
    (other,) = likenesses("ab", payoffs(1, 8, 100, 0.0))
    assert other.low < 0.1
    same = payoffs(2, 6, 40, 1.0)
    assert likenesses("ab", same)[0].low > 0.999


@pytest.mark.parametrize(("days", "windows"), [(4, 100), (10, 29)])
def test_too_little_says_nothing(days: int, windows: int) -> None:
    assert not likenesses("ab", payoffs(1, days, windows, 0.9))


def test_a_detector_without_payoffs_or_without_change_is_like_nobody() -> None:
    one, other = payoffs(1, 8, 100, 0.5)
    flat = Matured(one.key, one.s, one.ret, np.ones_like(one.payoff), one.day, one.bins, one.published, one.executed)
    assert not likenesses("abc", [one, nobody(), flat])
    assert clusters("abcd", [("a", "b"), ("c", "d"), ("b", "c")]) == dict.fromkeys("abcd", 4)
    assert other.days == 8
