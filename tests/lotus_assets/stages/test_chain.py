"""The chain of days: each on what the day before taught, none before it is committed, none backwards."""

import pytest

from lotus.errors import BeliefError
from lotus_assets.stages.chain import day_before
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_events
from lotus_store.ledger.beliefs.priors import in_force_on, swaps

from .stage_runs import run

ALL = (*TAPE_STAGES, *LEARNING_STAGES)


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


@pytest.mark.process("every learning stage of two days")
@pytest.mark.warm("taped")
def test_a_branch_is_not_extended_backwards(ctx: StageContext, days: list[str]) -> None:
    run(ctx, TAPE_STAGES, days)
    run(ctx, LEARNING_STAGES, days[1:2])
    with pytest.raises(BeliefError, match="begins on"):
        day_before(ctx, days[0])
    run(ctx, LEARNING_STAGES, days[1:])
