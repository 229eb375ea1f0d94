"""The stage of the facts: by asset and hour, the same again, in no night's bundle, and read by the prompt."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.coprocessor.model.window_facts import WINDOW_FACTS
from lotus_assets.coprocessor.asking import newest_facts
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance.governance_day import stages_before
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import window_facts


@pytest.mark.warm("first_day")
@pytest.mark.process("whole days through their stages")
def test_the_day_is_summed_up_by_asset_and_hour(ctx: StageContext, days: list[str]) -> None:
    rows = ctx.lake.read("window_facts", ctx.branch, days[0], spec=WINDOW_FACTS)
    universe = [asset.name for asset in ctx.manifest.universe]
    places = list(zip(rows["asset"].tolist(), rows["hour"].tolist(), strict=True))
    assert places == [(name, hour) for name in sorted(universe) for hour in (7, 8, 14)]  # 7: a frame that ends at 8:00
    evaluated = ctx.lake.read("signal_eval", ctx.branch, days[0])
    here = (evaluated["asset"] == universe[0]) & (evaluated["status"] == "ok")
    here &= (evaluated["window_end_ms"] - 1) // 3_600_000 % 24 == 8
    _, once = np.unique(evaluated["window_end_ms"][here], return_index=True)
    mean = np.nanmean(evaluated["fwd_ret_bps_30"][here][once])
    at = np.flatnonzero((rows["asset"] == universe[0]) & (rows["hour"] == 8))
    assert rows["move_30"][at] == pytest.approx(mean, rel=1e-3)
    assert np.isnan(rows["move_3600"]).all()  # the tiny world does not evaluate it
    first = run_stage(ctx, window_facts.STAGE, days[0])
    assert run_stage(replace(ctx, force=True), window_facts.STAGE, days[0]).content_hash == first.content_hash
    assert "window_facts" not in {name for name, _ in stages_before()}
    facts = newest_facts(ctx.settings)
    assert [(row.asset, row.hour) for row in facts] == [(k + 1, h) for k in range(len(universe)) for h in (7, 8, 14)]
    assert newest_facts(ctx.settings, "2000-01-01") == ()
