"""Resonance: a planted rhythm is found, noise seldom passes for one, and thin series say nothing."""

import numpy as np
import pytest

from lotus.atlas.resonance import ALARM, LEAST_SAMPLES, false_alarm, resonance
from lotus.errors import LedgerError

HOUR = 3_600_000


def times(rng: np.random.Generator, n: int, hours: float) -> np.ndarray:
    return np.sort(rng.integers(0, int(hours * HOUR), n))


@pytest.mark.parametrize("per_hour", [0.5, 1.3, 4.0])
def test_a_planted_rhythm_is_found_to_its_resolution(per_hour: float) -> None:
    rng = np.random.default_rng(int(per_hour * 10))
    at = times(rng, 400, 24.0)
    quality = 3.0 + np.sin(2 * np.pi * per_hour * at / HOUR + 0.4) + rng.normal(size=400)
    found = resonance(at, quality)
    assert found.per_hour == pytest.approx(per_hour, abs=1.0 / 24.0)
    assert found.false_alarm is not None
    assert found.false_alarm < 1e-6
    mixed = rng.permutation(400)
    assert resonance(at[mixed], quality[mixed]) == found


def test_noise_seldom_passes_for_a_rhythm() -> None:
    chances = []
    for seed in range(200):
        rng = np.random.default_rng([5, seed])
        found = resonance(times(rng, 80, 12.0), rng.standard_t(4, 80))
        assert found.false_alarm is not None
        assert (found.per_hour is None) == (found.false_alarm > ALARM)
        chances.append(found.false_alarm)
    assert np.mean(np.array(chances) <= 0.10) <= 0.15, "Baluev's bound is from above"
    assert np.mean(np.array(chances) <= ALARM) <= 0.03


def test_thin_or_flat_series_say_nothing() -> None:
    rng = np.random.default_rng(1)
    n = LEAST_SAMPLES - 1
    assert resonance(times(rng, n, 3.0), rng.normal(size=n)) == resonance(np.arange(n), np.ones(n))
    assert resonance(times(rng, 200, 3.0), np.ones(200)).per_hour is None
    assert resonance(np.zeros(200, np.int64), rng.normal(size=200)).false_alarm is None
    assert resonance(np.zeros(0, np.int64), np.zeros(0)).support == 0


def test_values_that_are_not_finite_are_refused() -> None:
    with pytest.raises(LedgerError, match="1 of them not finite"):
        resonance(np.arange(60), np.r_[np.nan, np.ones(59)])
    with pytest.raises(LedgerError, match="59 times, 60 values"):
        resonance(np.arange(59), np.ones(60))


def test_the_chance_falls_with_the_peak() -> None:
    hours = np.linspace(0.0, 24.0, 200)
    chances = [false_alarm(z, hours, 4.0) for z in (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] == 1.0
    assert chances[-1] == 0.0
