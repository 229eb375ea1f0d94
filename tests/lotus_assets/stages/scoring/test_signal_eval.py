"""Dropped windows are dropped whole."""

import numpy as np
import pytest

from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_eval


@pytest.fixture
def scored(ctx: StageContext, days: list[str]) -> StageContext:
    """A context whose first day is committed."""
    for stage in (*TAPE_STAGES, *LEARNING_STAGES):
        run_stage(ctx, stage, days[0])
    return ctx


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_dropped_windows_are_dropped_whole(scored: StageContext, days: list[str]) -> None:
    rows = scored.lake.read("signal_eval", scored.branch, days[0])
    assert signal_eval.dropped_check(rows).passed
    gone = np.flatnonzero(rows["status"] == "gap")[0]
    doctored = {**rows, "status": rows["status"].copy()}
    doctored["status"][gone] = "ok"
    assert signal_eval.dropped_check(doctored).numbers["whole_without_return"] == 1
