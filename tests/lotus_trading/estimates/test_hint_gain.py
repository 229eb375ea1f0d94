"""What joining paid more under a hint is found from drawn probes, whatever the hint looked at."""

import numpy as np
import pytest

from lotus.timebase import BLOCK_MS
from lotus.trading.estimates.hint_gain import HintGain, TriedStyle, hint_gains

PLANTED = {"post_only": 4.0, "cross": -4.0}


def tried(n: int, seed: int) -> list[TriedStyle]:
    """Probes over twenty blocks; what a window pays follows its hint, and so does what joining pays more."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        hint = ("post_only", "cross")[int(rng.random() < 0.5)]
        joined, p = bool(rng.random() < 0.21), 0.21
        paid = -9.0 + (20.0 if hint == "cross" else 0.0) + PLANTED[hint] * joined + 10.0 * rng.standard_normal()
        rows.append(TriedStyle(hint, joined, p, paid, k % 20 * BLOCK_MS))
    return rows


def test_the_planted_gain_of_every_hint_is_found() -> None:
    found = {one.hint: one for one in hint_gains(tried(6_000, 1))}
    assert set(found) == set(PLANTED)
    for hint, one in found.items():
        assert one.interval is not None
        assert one.interval[0] < PLANTED[hint] < one.interval[1]
        assert np.sign(one.interval[0]) == np.sign(one.interval[1])
        assert one.joined / (one.joined + one.crossed) == pytest.approx(0.21, abs=0.03)


def test_a_few_blocks_have_no_interval_and_nothing_tried_has_no_row() -> None:
    (one,) = hint_gains([TriedStyle("", False, 0.2, 1.0, 0), TriedStyle("", True, 0.2, 1.0, 1)])
    assert one == HintGain("", 1, 1, 0.0, None)
    assert hint_gains([]) == []
