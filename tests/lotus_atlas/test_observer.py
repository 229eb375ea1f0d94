"""Observer effects: zero where acting changes nothing, the planted difference where it does, honest intervals."""

import numpy as np
import pytest

from lotus.atlas.observer import LEAST_WINDOWS, ObserverEffect, observer_effect
from lotus.errors import LedgerError

N, BLOCKS = 8_000, 80


def world(seed: int, impact: float) -> tuple[np.ndarray, ...]:
    """Return p, published, outcome and block: outcomes follow p and share shocks inside a block."""
    rng = np.random.default_rng(seed)
    p = np.clip(1 / (1 + np.exp(-rng.normal(-1, 1, N))), 0.02, 0.98)
    published = rng.random(N) < p
    block = np.arange(N) * BLOCKS // N
    outcome = 4.0 * p + rng.normal(size=BLOCKS)[block] + 3.0 * rng.standard_t(4, N) + impact * published
    return p, published, outcome, block


def test_intervals_hold_the_truth() -> None:
    """Within 95 +- 4.5 % of 200 worlds, with and without an impact; outcomes that follow p do not pass for one."""
    for impact in (0.0, 1.5):
        found = [observer_effect(*world(seed, impact)).ci95 for seed in range(200)]
        held = [one[0] <= impact <= one[1] for one in found if one]
        assert len(held) == 200
        assert 0.905 <= np.mean(held) <= 0.995


def test_an_impact_is_seen() -> None:
    found = observer_effect(*world(3, 1.5))
    assert found.ci95 is not None
    assert found.ci95[0] > 0.5


def test_order_and_certain_windows_change_nothing() -> None:
    p, published, outcome, block = world(4, 0.0)
    found = observer_effect(p, published, outcome, block)
    mixed = np.random.default_rng(0).permutation(N)
    again = observer_effect(p[mixed], published[mixed], outcome[mixed], block[mixed])
    assert again.effect == pytest.approx(found.effect, rel=1e-9)
    more = observer_effect(
        np.r_[p, 0.0, 1.0], np.r_[published, False, True], np.r_[outcome, np.nan, 1e9], np.r_[block, 0, 1]
    )
    assert more == found


def test_without_support_there_is_no_effect() -> None:
    p, published, outcome, block = world(5, 1.0)
    few = np.flatnonzero(published)[: LEAST_WINDOWS - 1]
    keep = np.r_[few, np.flatnonzero(~published)]
    assert observer_effect(p[keep], published[keep], outcome[keep], block[keep]).effect is None
    assert observer_effect(p, published, outcome, block % 19).effect is None
    empty = np.zeros(0)
    assert observer_effect(empty, empty.astype(bool), empty, empty.astype(np.int64)) == ObserverEffect(0, 0, 0)


def test_a_missing_outcome_is_refused() -> None:
    p, published, outcome, block = world(6, 0.0)
    outcome[7] = np.nan
    with pytest.raises(LedgerError, match="1 windows without a finite outcome"):
        observer_effect(p, published, outcome, block)
