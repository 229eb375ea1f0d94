"""The deviation of a minute: that of a random walk of known steps, unknown at first and after a silence."""

import math

import numpy as np
import pytest

from lotus_desk.market.volatility import GAP_MS, WARM_MS, MinuteVolatility


def test_a_walk_of_known_steps_is_found() -> None:
    rng, seen, mid, found = np.random.default_rng(1), MinuteVolatility(), 100.0, []
    for second in range(1, 4_000):
        mid *= 1.0 + 1e-4 * float(rng.choice([-1, 1]))
        seen.see(1_000 * second, mid)
        found.append(seen.bps)
    assert found[58] is None, "59 seconds are no minute"
    assert [bps is None for bps in found[60:]].count(True) == 0
    assert seen.bps == pytest.approx(math.sqrt(60.0), rel=0.01)  # every step is 1 bps, whatever its direction


def test_moves_within_a_second_count_with_the_next_and_a_silence_begins_anew() -> None:
    seen = MinuteVolatility()
    for ms in range(1, 2 * WARM_MS, 100):
        seen.see(ms, 100.0 + (ms // 100) % 10)
    assert seen.bps == 0.0, "at whole seconds it always stood at the same place"
    seen.see(2 * WARM_MS + GAP_MS + 1_000, 100.0)
    assert seen.bps is None
