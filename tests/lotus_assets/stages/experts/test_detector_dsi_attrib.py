"""The credit of experts on the tiny world, joined again by pandas from the lake, under the shipped and another set."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lotus.experts.attribution import DETECTOR_DSI_ATTRIB
from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import InForce, LearnedSettings, experts_with
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import detector_dsi_attrib, expert_set
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_eval, signal_events
from lotus_assets.stages.tape import dsi_annotations, microtape_frames, raw_tape
from lotus_store.ledger.beliefs.expert_sets import write_expert_set

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]

TAPE = (raw_tape.STAGE, microtape_frames.STAGE, dsi_annotations.STAGE)
SCORE = (expert_set.STAGE, signal_events.STAGE, signal_eval.STAGE, detector_dsi_attrib.STAGE)


def test_rows_are_those_of_a_join_on_both_branches(ctx: StageContext, days: list[str]) -> None:
    for stage in TAPE:
        assert not run_stage(ctx, stage, days[0]).failed_checks
    agree(ctx, days[0], None)
    learned = LearnedSettings(default_experts().version, off=("micro_lean",))
    write_expert_set(ctx.sig, "other", InForce(days[0], "2026-01-04", learned))
    agree(replace(ctx, settings=replace(ctx.settings, branch="other")), days[0], learned)


def agree(ctx: StageContext, day: str, learned: LearnedSettings | None) -> None:
    """Run the stages on the branch and compare every number with a plain join of what they left."""
    for stage in SCORE:
        result = run_stage(ctx, stage, day)
        assert not result.failed_checks
    rows = pd.DataFrame(ctx.lake.read("detector_dsi_attrib", ctx.branch, day, spec=DETECTOR_DSI_ATTRIB))
    events = pd.DataFrame(ctx.lake.read("signal_events", ctx.branch, day, columns=("event_id", "s", "published")))
    outcomes = pd.DataFrame(ctx.lake.read("signal_eval", ctx.branch, day)).merge(events, on="event_id")
    outcomes = outcomes[(outcomes.status == "ok") & outcomes.published & outcomes.payoff_p.notna()]
    assert set(rows.detector_id) == set(outcomes.detector_id)
    experts = default_experts() if learned is None else experts_with(learned)
    branch = ctx.tape_branch if learned is None else ctx.branch
    said = pd.concat(
        pd.DataFrame(ctx.lake.read("dsi_windows", branch, day, a.name)).assign(asset=a.name)
        for a in ctx.manifest.universe
    )
    joined = outcomes.assign(frame_idx=outcomes.window_end_ms // 200).merge(said, on=["asset", "frame_idx"])
    assert len(joined) == len(outcomes) > 30
    for name in ("micro_lean", "touch_queue", "flow_momentum"):
        weight = experts.weights[experts.names.index(name)]
        part = joined[f"z_{name}"].fillna(0.0) * weight * np.sign(joined.s)
        for detector, at in joined.groupby("detector_id").groups.items():
            (row,) = rows[(rows.detector_id == detector) & (rows.expert_id == name)].to_dict("records")
            assert row["weight"] == pytest.approx(weight)
            assert row["windows"] == len(at)
            assert row["spoke"] == int((part[at] != 0).sum())
            assert row["contribution"] == pytest.approx(part[at].mean(), abs=1e-9)
            assert row["credit"] == pytest.approx(part[at].cov(joined.payoff_p[at], ddof=0), abs=1e-8)
    again = run_stage(replace(ctx, force=True), detector_dsi_attrib.STAGE, day)
    assert again.content_hash == result.content_hash
