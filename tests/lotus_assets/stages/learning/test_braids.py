"""Boards of a night: the weekly map of conflicts, and a wrong parent that is not written."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.errors import BeliefError
from lotus.priors.types import Literal, Patch, Rule, priors_version
from lotus.weave.admission import DetectorDay
from lotus.weave.night import BraidEvent, NightInputs, weave_night
from lotus.weave.watchdog import Evidence
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import braids
from lotus_store.ledger.beliefs.braids import read_registry, write_night
from lotus_store.ledger.beliefs.lessons import read_experiments, write_experiments

from ..woven_days import planted

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]


def test_the_weekly_conflict_map_is_shown_and_kept(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    board = [replace(planted(ctx, "d"), patch=Patch(-0.01, 1.01), state="active")]
    board.append(replace(board[0], braid_id="wide", rule=Rule.of(Literal(0, 0, 1))))
    bins = np.tile(np.arange(4, dtype=np.uint8)[:, None], (25, 12))
    one = DetectorDay(bins, np.full(100, 0.4), 0.12)
    previous = priors_version(ctx.branch, 0, tuple(b.active() for b in board))
    night = weave_night(previous, board, [], {"d": one}, 5, ctx.manifest, NightInputs(Evidence(days[0])))
    monkeypatch.setattr(braids, "weave", lambda *given: night)
    made = braids.make(ctx, days[0])
    write_experiments(ctx.sig, ctx.branch, days[0], "run", {"lessons": {"fixtures_hash": "f"}})
    assert made.ledger is not None
    made.ledger(ctx.sig)
    assert "| d | planted | wide | 0.500 |" in made.documents["conflict_map"]
    rows = read_experiments(ctx.sig, ctx.branch, days[0], "overlap")
    assert rows == {"planted wide": {"detector_id": "d", "first": "planted", "second": "wide", "jaccard": 0.5}}


def test_a_board_with_a_wrong_parent_is_not_written(ctx: StageContext, days: list[str]) -> None:
    own = planted(ctx, "d")
    meta = replace(own, braid_id="m", braid_type="meta", op="INTERSECT", parents=("planted", "gone"))
    told = [BraidEvent("m", "none", "active", "made up", "", "")]
    with pytest.raises(BeliefError, match="names the parent gone"):
        write_night(ctx.sig, ctx.branch, days[0], [own, meta], told)
    assert read_registry(ctx.sig, ctx.branch) == []
