"""A night that changes a level: it is stopped at every point around its rows, run again, and ends the same."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lotus.weave.night import BraidEvent
from lotus.weave.trust import begin
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import active_priors, braids, meta_braids
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_store.ledger.beliefs.braids import read_history, read_registry, write_night
from lotus_store.ledger.beliefs.priors import versions
from lotus_store.ledger.beliefs.trust import read_trust

from ..woven_days import NEEDED, planted, run

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
WEAVING = (braids.STAGE, meta_braids.STAGE, active_priors.STAGE)
BEFORE_WEAVING = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)


class Stopped(Exception):
    """Stands for a kill: the connection's transaction goes with it."""


def stopping(module: Any, name: str, after: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next call of a function stop the run, before or after it has done its work."""
    done: Callable[..., Any] = getattr(module, name)

    def stop(*given: Any, **named: Any) -> Any:
        if after:
            done(*given, **named)
        raise Stopped

    monkeypatch.setattr(module, name, stop)


def test_a_night_that_changes_a_level_ends_the_same_wherever_it_was_stopped(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[0])
    trust = replace(begin(50.0, days[0]), level=2, recent=(900.0, -900.0) * 10, changed_on=days[0])
    own = replace(planted(ctx, "imbalance_persistence"), trust=trust)
    write_night(ctx.sig, ctx.branch, days[0], [own], [BraidEvent("planted", "none", "proposed", "planted", "", "")])
    run(ctx, (*BEFORE_WEAVING, *WEAVING), days[1])
    acting = versions(ctx.sig, ctx.branch)[-1][0].braids[0]
    assert (acting.level, acting.patch.gate > 0.0) == (2, True)
    before = read_trust(ctx.sig, ctx.branch, days[1])
    assert before["planted"].level == 2
    run(ctx, BEFORE_WEAVING, days[2])
    points = [(braids, "write_trust", False), (braids, "write_trust", True), (braids, "write_experiments", False)]
    for module, name, after in points:
        with monkeypatch.context() as patched:
            stopping(module, name, after, patched)
            with pytest.raises(Stopped):
                run(ctx, (braids.STAGE,), days[2])
        assert read_trust(ctx.sig, ctx.branch, days[2]) == {}
        assert len(read_history(ctx.sig, "planted")) == 2
    found = run(ctx, WEAVING, days[2])
    rows, board = read_trust(ctx.sig, ctx.branch, days[2]), read_registry(ctx.sig, ctx.branch)
    assert (rows["planted"].level, board[0].level) == (1, 1)
    assert "could go unnoticed" in rows["planted"].reason
    assert read_history(ctx.sig, "planted")[-1]["reason"] == "trust from level 2 to 1"
    lower = versions(ctx.sig, ctx.branch)[-1][0].braids[0]
    assert (lower.level, lower.patch.gate) == (1, board[0].patch.gate)
    assert run(replace(ctx, force=True), WEAVING, days[2]) == found
    assert read_trust(ctx.sig, ctx.branch, days[2]) == rows
    assert read_trust(ctx.sig, ctx.branch, days[1]) == before
