"""The stage of the budget cues: the same again, and what a stream over the stored events gives."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.meta_signals import META_SIGNALS
from lotus.errors import BeliefError
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_set
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import meta_signals, signal_events

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]


def test_cues_of_a_first_day_have_timing_and_no_asymmetry(ctx: StageContext, days: list[str]) -> None:
    for stage in (*TAPE_STAGES, expert_set.STAGE):
        run_stage(ctx, stage, days[0])
    with pytest.raises(BeliefError, match="signal_events"):
        run_stage(ctx, meta_signals.STAGE, days[0])
    run_stage(ctx, signal_events.STAGE, days[0])
    result = run_stage(ctx, meta_signals.STAGE, days[0])
    assert not result.failed_checks
    rows = ctx.lake.read("meta_signals", ctx.branch, days[0], spec=META_SIGNALS)
    events = ctx.lake.read("signal_events", ctx.branch, days[0], columns=("window_end_ms", "asset", "s", "kairos"))
    at = {(int(e), a): k for k, (e, a) in enumerate(zip(rows["window_end_ms"], rows["asset"], strict=True))}
    assert (
        len(at)
        == len(rows["asset"])
        == result.rows
        == len(set(zip(events["window_end_ms"], events["asset"], strict=True)))
    )
    for (end, asset), k in list(at.items())[::50]:
        mine = (events["window_end_ms"] == end) & (events["asset"] == asset) & (events["s"] != 0.0)
        kairos = events["kairos"][mine]
        expected = np.nanmean(kairos) if np.isfinite(kairos).any() else np.nan
        np.testing.assert_allclose(rows["ms_kairos"][k], expected)
    assert np.isnan(rows["ms_asym_score"]).all()
    assert result.notes["windows_with_asymmetry"] == 0
    assert run_stage(replace(ctx, force=True), meta_signals.STAGE, days[0]).content_hash == result.content_hash
