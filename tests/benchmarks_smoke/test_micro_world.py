"""Tapes of micro worlds: by seed, with the step in the price and nowhere else."""

import numpy as np
import pytest

from benchmarks.micro_world import MicroWorld
from lotus.simulation.layout import At


def test_the_same_seed_gives_the_same_tape_and_another_seed_another() -> None:
    texts = [b"".join(t for _, t in MicroWorld(seed, "absorption", 1).day_pieces(0)) for seed in (4, 4, 5)]
    assert texts[0] == texts[1] != texts[2]


def test_the_step_is_in_the_price_and_nowhere_else() -> None:
    paying, plain = MicroWorld(6, "sweep_stall", 1), MicroWorld(6, "sweep_stall", 1)
    object.__setattr__(plain, "episodes", [type(e)(e.pattern, e.onset_ms, e.direction, 0) for e in plain.episodes])
    one, other = (w.span(0, 0).path[:, 0] for w in (paying, plain))
    np.testing.assert_array_equal(np.delete(one, [At.BID], axis=1), np.delete(other, [At.BID], axis=1))
    moved = 1e4 * (np.log(one[:, At.BID]) - np.log(other[:, At.BID]))
    planted = sum(e.step_bps for e in paying.episodes)
    assert moved[-1] == pytest.approx(planted, abs=2.0)
    assert moved[0] == 0
    assert any(e.step_bps for e in paying.episodes)
