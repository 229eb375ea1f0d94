"""The weekly judgement of the experts of a tiny world: rows, registry, repetition, other days."""

import dataclasses

import numpy as np
import pytest

from lotus.experts.fusion import default_experts
from lotus.experts.weekly.calls import calls_of
from lotus.manifest import DetectorDefaults
from lotus.timebase import day_start_ms
from lotus_assets.pages.metadata import metadata_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_stats
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.tape import dsi_annotations, microtape_frames, raw_tape
from lotus_assets.stages.tape.microtape_frames import read_frames
from lotus_store.ledger.beliefs.expert_sets import read_expert_sets
from lotus_store.ledger.beliefs.experts import read_experts

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]
MONDAY = "2026-01-12"


@pytest.fixture
def with_tape(ctx: StageContext, days: list[str]) -> StageContext:
    for day in days:
        for stage in (raw_tape.STAGE, microtape_frames.STAGE, dsi_annotations.STAGE):
            assert not run_stage(ctx, stage, day).failed_checks
    return ctx


def test_a_monday_judges_the_days_before_it(with_tape: StageContext, days: list[str]) -> None:
    ctx, names = with_tape, default_experts().names
    made = run_stage(ctx, expert_stats.STAGE, MONDAY)
    rows = ctx.sig.execute("SELECT * FROM dsi_expert_stats ORDER BY expert_id, asset").fetchall()
    assets = [asset.name for asset in ctx.manifest.universe]
    assert len(rows) == made.rows == len(names) * (1 + len(assets))
    assert {(r[2], r[3]) for r in rows} == {(n, a) for n in names for a in ("", *assets)}
    counted = dict.fromkeys(names, 0)
    for day in days:
        calls = calls_of(read_frames(ctx, day, warmup=True), default_experts(), day_start_ms(day))
        for k, name in enumerate(names):
            counted[name] += int(np.isfinite(calls.of(k)).sum())
    assert {r[2]: r[5] for r in rows if r[3] == ""} == counted
    assert sum(counted.values()) > 100
    for r in rows:
        assert 0 <= r[7] <= r[6] <= r[8] <= 1
    registry = {e.expert_id: e for e in read_experts(ctx.sig)}
    overall = {r[2]: r for r in rows if r[3] == ""}
    for name in names:
        assert registry[name].judged_day == MONDAY
        assert registry[name].reliability == overall[name][6]
        assert registry[name].weight == default_experts().fusion.voices[name].weight
    shown = metadata_of(made)
    assert shown["in_force_from"].value == "2026-01-14"
    assert "reliability_curves" in shown
    assert "confidence_curves" in shown
    (found,) = read_expert_sets(ctx.sig, ctx.branch)
    assert (found.from_day, found.judged_day) == ("2026-01-14", MONDAY)
    assert experts_of(ctx, "2026-01-13") is default_experts()
    after = experts_of(ctx, "2026-01-14")
    assert after.version == made.notes["experts_ver"] == rows[0][-1]
    twins = {r[2] for r in rows if r[10]}
    assert {name for name, v in after.fusion.voices.items() if v.status == "off"} == twins
    assert {*made.notes["off"].split()} == twins
    assert [after.weights[k] for k in range(len(names))] == [overall[n][12] for n in names]


def test_the_same_judgement_again_is_the_same(with_tape: StageContext) -> None:
    ctx = with_tape
    first = run_stage(ctx, expert_stats.STAGE, MONDAY)
    assert run_stage(ctx, expert_stats.STAGE, MONDAY).inputs_hash == first.inputs_hash
    again = run_stage(dataclasses.replace(ctx, force=True), expert_stats.STAGE, MONDAY)
    assert again.content_hash == first.content_hash


def test_other_days_judge_nothing(with_tape: StageContext, days: list[str]) -> None:
    made = run_stage(with_tape, expert_stats.STAGE, days[0])  # a Monday with no day before it
    assert made.notes["days"] == 0
    assert read_expert_sets(with_tape.sig, with_tape.branch) == []
    with_tape.sig.execute("DELETE FROM dsi_expert_stats")
    for day in days[1:]:
        made = run_stage(with_tape, expert_stats.STAGE, day)
        assert made.rows == 0
    assert with_tape.sig.execute("SELECT count(*) FROM dsi_expert_stats").fetchone() == (0,)


def test_votes_needed_are_refitted_where_a_scored_detector_asks_for_a_confirmation(with_tape: StageContext) -> None:
    assert "refit_votes" not in run_stage(with_tape, expert_stats.STAGE, MONDAY).notes
    manifest = dataclasses.replace(with_tape.manifest, detectors=DetectorDefaults(score_experimental=True))
    made = run_stage(dataclasses.replace(with_tape, manifest=manifest), expert_stats.STAGE, MONDAY)
    assert made.notes["refit_votes"]
    assert ("votes_needed" in made.notes) == (made.notes["refit_votes"] != "none: too few windows")
