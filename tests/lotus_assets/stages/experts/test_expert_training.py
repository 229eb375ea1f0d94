"""A Monday trains weights that come in force where they are better."""

import dataclasses

import numpy as np
import pytest

from lotus.experts.model import weights_hash
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_stats, expert_training
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.experts.expert_training import layers_of, taken_up
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.tape import dsi_annotations, microtape_frames, raw_tape
from lotus_store.ledger.day_commits import commit_day, read_commit

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]
MONDAY = "2026-01-12"


@pytest.fixture
def with_tape(ctx: StageContext, days: list[str]) -> StageContext:
    for day in days:
        for stage in (raw_tape.STAGE, microtape_frames.STAGE, dsi_annotations.STAGE):
            assert not run_stage(ctx, stage, day).failed_checks
    return ctx


def test_a_monday_trains_weights_that_come_in_force_where_they_are_better(
    with_tape: StageContext, days: list[str]
) -> None:
    ctx = with_tape
    made = run_stage(ctx, expert_training.STAGE, MONDAY)
    rows = ctx.lake.read("expert_weights", ctx.branch, MONDAY)
    shapes = ((4, 5, 8), (4, 8, 8), (6, 8, 1))
    layers = tuple(rows["weight"][rows["layer"] == k].reshape(shape) for k, shape in enumerate(shapes))
    assert all(np.array_equal(a, b) for a, b in zip(layers_of(rows), layers, strict=True))
    assert made.notes["weights_hash"] == weights_hash(layers)
    assert made.rows == sum(np.prod(shape) for shape in shapes)
    assert 0.6 < made.notes["loss_unseen"] < 0.8
    assert not made.notes["taken_up"]  # four sessions of twenty minutes are too few hours to tell
    assert taken_up(ctx, MONDAY) == {}
    commit = read_commit(ctx.sig, ctx.branch, MONDAY, "expert_training")
    told = {**commit.notes, "notes": {**commit.notes["notes"], "taken_up": True}}
    commit_day(ctx.sig, dataclasses.replace(commit, notes=told, content_hash="better"))
    better = run_stage(ctx, expert_stats.STAGE, MONDAY)
    assert better.notes["nets"] == "tape_filter"
    assert weights_hash(experts_of(ctx, "2026-01-14").nets["tape_filter"]) == made.notes["weights_hash"]
    again = run_stage(dataclasses.replace(ctx, force=True), expert_training.STAGE, MONDAY)
    assert again.content_hash == made.content_hash
    assert run_stage(ctx, expert_training.STAGE, days[1]).rows == 0
