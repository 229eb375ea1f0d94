"""The check of gaps finds a hole, and a frame inside a gap."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.microtape.completeness import Framed
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.tape.microtape_frames import gaps_check, read_frames


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_gaps_finds_a_hole_and_a_frame_inside_a_gap(scored: StageContext, days: list[str]) -> None:
    frames = read_frames(scored, days[0])
    gaps = scored.lake.read("tape_gaps", scored.tape_branch, days[0])
    table = np.column_stack([gaps[name].astype(np.int64) for name in ("asset", "start_ms", "end_ms", "seq")])
    sound = replace(frames, gaps=table)
    assert gaps_check(sound, 10_000, [Framed(9, 2, 0)]).passed
    lost = gaps_check(sound, 10_000, [Framed(9, 2, 0), Framed(7, 1, 1)])
    assert (lost.passed, lost.numbers["prints_unframed"], lost.numbers["prints_unexplained"]) == (False, 3, 1)
    hole = np.ones(len(frames), dtype=bool)
    hole[np.flatnonzero(frames.ints[:, 0] == 1)[50:90]] = False
    assert gaps_check(replace(sound, ints=frames.ints[hole]), 10_000, []).numbers["unexplained_holes"] == 1
    end = int(frames.ints[100, 2])
    inside = np.vstack([table, [int(frames.ints[100, 0]), end - 2000, end + 2000, 1]])
    assert gaps_check(replace(sound, gaps=inside), 10_000, []).numbers["frames_inside_gaps"] > 0
