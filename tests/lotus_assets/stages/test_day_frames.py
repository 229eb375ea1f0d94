"""The frames that scoring stages share are those that they would read themselves."""

import numpy as np
import pytest

from lotus_assets.stages.context import StageContext
from lotus_assets.stages.day_frames import day_frames, warmed_frames
from lotus_assets.stages.tape.microtape_frames import read_frames

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]


def test_frames_are_read_once_and_without_the_warm_up_those_of_the_day(ctx: StageContext, days: list[str]) -> None:
    warmed, own = warmed_frames(ctx, days[1]), day_frames(ctx, days[1])
    assert warmed_frames(ctx, days[1]) is warmed
    for found, read in ((warmed, read_frames(ctx, days[1], warmup=True)), (own, read_frames(ctx, days[1]))):
        np.testing.assert_array_equal(found.ints, read.ints)
        np.testing.assert_array_equal(found.floats, read.floats)
    assert warmed_frames(ctx, days[0]) is not warmed
