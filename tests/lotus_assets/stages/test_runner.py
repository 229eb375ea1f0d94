"""Stages without Dagster: repeated work is skipped and ends in the same hashes, refusals name what is missing."""

from dataclasses import replace
from pathlib import Path

import pytest

from lotus.errors import BeliefError
from lotus_assets.atoms_compaction import compact_days
from lotus_assets.stages.chain import committed_work
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_events
from lotus_resources.recent_values import RecentValues
from lotus_store.ledger.day_commits import read_commits

from .stage_runs import run

ALL = (*TAPE_STAGES, *LEARNING_STAGES)


@pytest.mark.process("every stage of two days, three times")
@pytest.mark.warm("first_day")
def test_twice_and_forced_end_in_the_same_hashes(ctx: StageContext, days: list[str]) -> None:
    days = days[:2]
    first = run(ctx, ALL, days)
    kept = {key: commit.notes for key, commit in committed_work(ctx, days).items()}
    assert run(ctx, ALL, days) == first
    state = sorted(ctx.settings.home.glob("learner_state/**/*.sums"))
    assert {path.parent.name for path in state} == {f"day={day}" for day in days}
    for path in state[::2]:  # half of the sums are read, half made again from the windows
        path.unlink()
    assert run(replace(ctx, force=True, recent=RecentValues()), ALL, days) == first
    assert sorted(ctx.settings.home.glob("learner_state/**/*.sums")) == state
    assert {key: commit.notes for key, commit in committed_work(ctx, days).items()} == kept


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_a_missing_or_damaged_file_is_made_again(ctx: StageContext, days: list[str]) -> None:
    first = run(ctx, ALL, days[:1])
    Path(ctx.lake.path("signal_events", ctx.branch, days[0])).unlink()
    frames = Path(ctx.lake.path("microtape_frames", ctx.tape_branch, days[0], "BTC"))
    frames.write_bytes(frames.read_bytes()[:5000])
    assert compact_days(ctx.lake, ctx.branch, days[:1], keep=0).days == (days[0],)
    assert not ctx.lake.exists("lesson_atoms", ctx.branch, days[0])
    assert run(ctx, ALL, days[:1]) == first
    assert ctx.lake.verify("lesson_atoms", ctx.branch, days[0])
    ctx.lake.verify("microtape_frames", ctx.tape_branch, days[0], "BTC")
    ctx.lake.verify("signal_events", ctx.branch, days[0])


def test_a_missing_input_is_named(ctx: StageContext, days: list[str]) -> None:
    with pytest.raises(BeliefError, match=r"microtape_frames\[.*\] is not committed"):
        run_stage(ctx, signal_events.STAGE, days[0])


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_branches_share_tape_and_nothing_else(ctx: StageContext, days: list[str]) -> None:
    first = run(ctx, ALL, days[:1])
    other = replace(ctx, settings=replace(ctx.settings, branch="other"))
    second = run(other, ALL, days[:1])
    assert {stage for stage in first if first[stage] == second[stage]} >= {f"{s.name}[{days[0]}]" for s in TAPE_STAGES}
    assert {c.stage for c in read_commits(ctx.sig, ctx.tape_branch)} == {s.name for s in TAPE_STAGES}
    assert {c.stage for c in read_commits(ctx.sig, "other")} == {s.name for s in LEARNING_STAGES}
    one = ctx.lake.read("signal_events", "main", days[0], columns=("event_id", "s"))
    two = ctx.lake.read("signal_events", "other", days[0], columns=("event_id", "s"))
    assert not set(one["event_id"]) & set(two["event_id"])
    assert (one["s"] == two["s"]).all()
