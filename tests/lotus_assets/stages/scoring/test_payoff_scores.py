"""Scores of a day on which some windows have no modelled payoff: they fall back on the table of earlier days alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lotus.learning.strata_table import histograms_of, pasts_of_days
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.learning import meta_braids
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import payoff_scores, signal_eval
from lotus_store.ledger.day_commits import read_commit

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]

NEEDED = {
    "raw_tape", "microtape_frames", "dsi_annotations", "expert_set", "signal_events", "signal_eval", "payoff_scores",
    "lesson_atoms", "lessons", "dr_crosscheck", "braids", "meta_braids", "active_priors",
}  # fmt: skip
STAGES = tuple(s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED)


def run_to(ctx: StageContext, day: str, last: str) -> None:
    for stage in STAGES:
        assert not run_stage(ctx, stage, day).failed_checks
        if stage.name == last:
            return


def test_a_day_falls_back_on_the_days_before_it_and_only_where_it_must(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_to(ctx, days[0], "active_priors")
    assert not [name for name in payoff_scores.inputs(ctx, days[0]) if name.startswith("payoff_scores")]
    run_to(ctx, days[1], "payoff_scores")
    whole = ctx.lake.read("payoff_scores", ctx.branch, days[1])
    real = signal_eval.mature

    def without_some(*given: Any) -> Any:
        rows = real(*given)
        rows["payoff_p"] = rows["payoff_p"].copy()
        rows["payoff_p"][::3] = np.nan
        return rows

    monkeypatch.setattr(signal_eval, "mature", without_some)
    run_stage(replace(ctx, force=True), signal_eval.STAGE, days[1])
    assert [n for n in payoff_scores.inputs(ctx, days[1]) if n.startswith("payoff_scores")] == [
        f"payoff_scores[{days[0]}]"
    ]
    result = run_stage(ctx, payoff_scores.STAGE, days[1])
    assert not result.failed_checks
    mixed = ctx.lake.read("payoff_scores", ctx.branch, days[1])
    assert mixed["event_id"].tolist() == whole["event_id"].tolist()
    fallen = np.isnan(mixed["payoff_p"])
    assert 0 < fallen.sum() < len(fallen)
    commit = read_commit(ctx.sig, ctx.branch, days[1], "payoff_scores")
    assert commit is not None
    assert commit.notes["notes"]["fallen_back"] == fallen.sum()
    assert mixed["f"][~fallen].tobytes() == whole["f"][~fallen].tobytes()
    strata = pasts_of_days([histograms_of(ctx.lake.read("payoff_scores", ctx.branch, days[0]))])
    for i in np.flatnonzero(fallen):
        own = strata[mixed["detector_id"][i], int(mixed["spec_version"][i])]
        b = float(own.level_at(mixed["u0"][i : i + 1])[0])
        assert mixed["level"][i] == pytest.approx(b, rel=1e-12)
        p, y = mixed["p"][i], mixed["payoff_y"][i]
        want = p * (1 - p) * b + ((1 - p) * (y - b) if mixed["published"][i] else 0.0)
        assert mixed["f"][i] == pytest.approx(want, rel=1e-9, abs=1e-12)
    assert not np.isnan(mixed["f"]).any()
    run_to(ctx, days[1], meta_braids.STAGE.name)
