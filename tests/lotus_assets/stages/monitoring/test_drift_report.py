"""The monitors' stages: equal when repeated, a damaged day is counted, an alarm is told by name and stops nothing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lotus.microtape.frames.spec import C_SPREAD, I_ASSET
from lotus.monitoring.drift_table import DRIFT_REPORT, DriftReport, Verdict, counts_of
from lotus.monitoring.sketch_table import DATA, DAY_SKETCHES, SeriesName, sketches_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.day_frames import day_frames
from lotus_assets.stages.monitoring.drift_report import STAGE, drift_check
from lotus_assets.stages.order import LEARNING_STAGES, STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.recent_values import RecentValues

NEEDED = ("expert_set", "signal_events", "signal_eval", "day_sketches", "drift_report")


@pytest.mark.warm("first_day")
@pytest.mark.process("whole days through their stages")
def test_days_are_sketched_from_frames_and_scores_and_end_equal_when_repeated(
    ctx: StageContext, days: list[str]
) -> None:
    day = sketches_of(ctx.lake.read("day_sketches", ctx.branch, days[0], spec=DAY_SKETCHES))
    frames = day_frames(ctx, days[0])
    spread = frames.floats[frames.ints[:, I_ASSET] == 1, C_SPREAD]
    found = day.quantiles[day.places[SeriesName(DATA, ctx.manifest.universe[1].name, "", "spread_bps")]]
    np.testing.assert_allclose(found[24], np.nanmedian(spread), rtol=0.2)
    rows = ctx.lake.read("drift_report", ctx.branch, days[0], spec=DRIFT_REPORT)
    assert set(rows["verdict"].tolist()) <= {Verdict.FEW_LIKE, Verdict.NULL, Verdict.LEVEL}
    for stage in [s for s in LEARNING_STAGES if s.name in NEEDED]:
        assert not run_stage(ctx, stage, days[1]).failed_checks
    forced = replace(ctx, force=True)
    for name in ("day_sketches", "drift_report"):
        first = run_stage(ctx, STAGES[name], days[1])
        assert run_stage(forced, STAGES[name], days[1]).content_hash == first.content_hash
    Path(ctx.lake.path("day_sketches", ctx.branch, days[0])).write_bytes(b"damaged")
    again = run_stage(replace(forced, recent=RecentValues()), STAGE, days[1])
    assert not again.failed_checks
    assert again.notes["unreadable_days"] == 1
    assert "1 unreadable_days" in again.checks[1].text


def test_an_alarm_is_told_by_name_and_blocks_nothing() -> None:
    names = (SeriesName(DATA, "BTC", "", "imb_5"), SeriesName(DATA, "BTC", "", "spread_bps"))
    numbers = {"family_r": np.array([400.0, 400.0]), "is_named": np.array([False, True])}
    notes = {**counts_of([0, 5]), "unreadable_days": 0, "missing_days": 2}
    check = drift_check(DriftReport(names, numbers), notes)
    assert not check.passed
    assert not check.blocking
    assert check.text.startswith("data at 400: data BTC spread_bps. 1 of 2 series tested (1 unlike, 2 missing_days)")
    quiet = drift_check(DriftReport(names, numbers | {"family_r": np.array([364.0, 364.0])}), notes | {"tested": 0})
    assert quiet.passed
    assert quiet.unseen
