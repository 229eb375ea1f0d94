"""The stage of proposed triggers: every published window of who proposes one has fired, expired or is cut."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.registry import known_detectors
from lotus.outcomes.trigger_outcomes import CUT, EXPIRED, FIRED
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_set
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_events, trigger_outcomes

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]
SIDES = ((1, "cross(vwap, side=up, lookback=3)"), (-1, "cross(vwap, side=down, lookback=3)"))


def test_every_published_window_with_a_trigger_has_its_outcome(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stage in (*TAPE_STAGES, expert_set.STAGE, signal_events.STAGE):
        run_stage(ctx, stage, days[0])
    assert run_stage(ctx, trigger_outcomes.STAGE, days[0]).rows > 0
    proposing = {spec.detector_id for spec in known_detectors() if spec.triggers and spec.status == "active"}
    assert set(ctx.lake.read("trigger_outcomes", ctx.branch, days[0])["detector_id"]) == proposing
    specs = [replace(spec, triggers=SIDES) for spec in known_detectors()]
    monkeypatch.setattr(trigger_outcomes, "known_detectors", lambda: specs)
    result = run_stage(ctx, trigger_outcomes.STAGE, days[0])
    rows = ctx.lake.read("trigger_outcomes", ctx.branch, days[0])
    events = ctx.lake.read("signal_events", ctx.branch, days[0], columns=("event_id", "published", "s"))
    assert rows["event_id"].tolist() == sorted(events["event_id"][events["published"].astype(bool)].tolist())
    assert not result.failed_checks
    counts = {status: int((rows["status"] == status).sum()) for status in (FIRED, EXPIRED, CUT)}
    assert counts == {status: result.notes[status] for status in counts}
    assert counts[FIRED] > 0
    assert counts[EXPIRED] > 0
    fired = rows["status"] == FIRED
    assert (rows["fired_ms"][fired] > rows["window_end_ms"][fired]).all()
    assert (rows["fired_ms"] <= rows["window_end_ms"] + 1_000 * rows["horizon_s"]).all()
    assert np.array_equal(np.isfinite(rows["fired_bps"].astype(float)), fired)
    assert run_stage(replace(ctx, force=True), trigger_outcomes.STAGE, days[0]).content_hash == result.content_hash
