"""A day waits until its beliefs are in force, also when an answer was left on the way."""

import pytest

from lotus.errors import BeliefError
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import active_priors
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import signal_events
from lotus_store.ledger.beliefs.priors import swaps
from lotus_store.ledger.messages.boxes import anything_open

from ..stage_runs import run

ALL = (*TAPE_STAGES, *LEARNING_STAGES)


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
        patched.setattr("lotus_modules.priors.hand_over.time.sleep", killed)
        with pytest.raises(KeyboardInterrupt):
            run(ctx, ALL, days[:1])
    assert len(swaps(ctx.sig, ctx.branch)) == 1
    assert anything_open(ctx.sig, "sig", ctx.branch)
    run(ctx, ALL, days[:1])
    assert not anything_open(ctx.sig, "sig", ctx.branch)
