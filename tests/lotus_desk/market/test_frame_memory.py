"""Remembered frames are those of the last day, bit for bit."""

import numpy as np
import pytest
from tapes import in_order, market
from trigger_frames import frames_of

from lotus.microtape.frames.spec import I_END
from lotus_desk.market.frame_memory import COLUMNS, FrameMemory


@pytest.fixture(scope="module")
def lines() -> list[tuple[int, bytes]]:
    """Five minutes of three assets."""
    return in_order(market("2026-03-04", "09:00", 300, step_ms=250, seed=3))


def test_remembered_frames_are_those_of_the_last_day_bit_for_bit(lines: list[tuple[int, bytes]]) -> None:
    ints, floats = frames_of(lines)
    mine = ints[:, 0] == 1
    memory = FrameMemory(1, 100)
    for one, values in zip(ints[mine], floats[mine], strict=True):
        memory.add(one, values)
    kept, values_kept = memory.since(0)
    assert len(kept) == 100
    assert kept[:, I_END].tolist() == ints[mine][-100:, I_END].tolist()
    np.testing.assert_array_equal(values_kept[:, COLUMNS], floats[mine][-100:][:, COLUMNS])
