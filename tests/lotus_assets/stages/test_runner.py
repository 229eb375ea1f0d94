"""Stages without Dagster: repeated work is skipped and ends in the same hashes, refusals name what is missing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from lotus.errors import BeliefError
from lotus_assets.atoms_compaction import compact_days
from lotus_assets.stages import active_priors, signal_events
from lotus_assets.stages.chain import committed_work, day_before
from lotus_assets.stages.context import Stage, StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_store.ledger.day_commits import read_commits
from lotus_store.ledger.messages import anything_open
from lotus_store.ledger.priors import in_force_on, swaps

ALL = (*TAPE_STAGES, *LEARNING_STAGES)


def run(ctx: StageContext, stages: Sequence[Stage], days: Sequence[str]) -> dict[str, str]:
    """Run stages day by day and return the content hashes."""
    found = {}
    for day in days:
        for stage in stages:
            result = run_stage(ctx, stage, day)
            assert not result.failed_checks, result.failed_checks
            found[f"{stage.name}[{day}]"] = result.content_hash
    return found


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
    assert run(replace(ctx, force=True), ALL, days) == first
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


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("taped")
def test_the_first_day_runs_on_the_genesis_priors(ctx: StageContext, days: list[str]) -> None:
    run(ctx, ALL, days[:1])
    (genesis,) = in_force_on(ctx.sig, ctx.branch, days[0])
    events = ctx.lake.read("signal_events", ctx.branch, days[0], columns=("priors_ver",))
    assert set(events["priors_ver"]) == {genesis.priors_ver}
    assert genesis.effective_from_ms == 0


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_a_day_runs_on_what_the_day_before_taught(ctx: StageContext, days: list[str]) -> None:
    run(ctx, ALL, days[:2])
    (_, taught), _ = swaps(ctx.sig, ctx.branch)
    events = ctx.lake.read("signal_events", ctx.branch, days[1], columns=("priors_ver",))
    assert set(events["priors_ver"]) == {taught}


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_a_day_is_refused_while_the_day_before_is_not_committed(ctx: StageContext, days: list[str]) -> None:
    run(ctx, ALL, days[:1])
    run(ctx, TAPE_STAGES, days)
    with pytest.raises(BeliefError, match=rf"materialise active_priors\[{days[1]}\]"):
        run_stage(ctx, signal_events.STAGE, days[2])


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("first_day")
def test_a_day_is_refused_while_its_beliefs_are_not_in_force(ctx: StageContext, days: list[str]) -> None:
    run(ctx, ALL, days[:1])
    run(ctx, TAPE_STAGES, days[1:2])
    ctx.sig.execute("DELETE FROM priors_in_force")
    with pytest.raises(BeliefError, match=rf"priors_in_force\[{days[1]}\] lacks"):
        run_stage(ctx, signal_events.STAGE, days[1])
    ctx.sig.execute("UPDATE sig_inbox SET consumed_at = NULL, outcome = NULL WHERE intent = 'PRIOR_PATCH'")
    run_stage(ctx, active_priors.STAGE, days[0])
    assert len(swaps(ctx.sig, ctx.branch)) == 1
    run(ctx, LEARNING_STAGES[:2], days[1:2])


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("taped")
def test_an_answer_left_on_the_way_by_a_killed_run_is_carried_by_the_next(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("lotus_modules.priors.prior_patch.time.sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            run(ctx, ALL, days[:1])
    assert len(swaps(ctx.sig, ctx.branch)) == 1
    assert anything_open(ctx.sig, "sig", ctx.branch)
    run(ctx, ALL, days[:1])
    assert not anything_open(ctx.sig, "sig", ctx.branch)


@pytest.mark.process("every learning stage of two days")
@pytest.mark.warm("taped")
def test_a_branch_is_not_extended_backwards(ctx: StageContext, days: list[str]) -> None:
    run(ctx, TAPE_STAGES, days)
    run(ctx, LEARNING_STAGES, days[1:2])
    with pytest.raises(BeliefError, match="begins on"):
        day_before(ctx, days[0])
    run(ctx, LEARNING_STAGES, days[1:])


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
