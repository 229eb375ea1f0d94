"""The sanity table of a day: made of tape alone, from the day's frames, with every expert and detector in it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.registry import shipped_detectors
from lotus.outcomes.sanity import ALL, FRAME_SERIES, HORIZONS_S, SANITY_TABLE
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.tape.dsi_annotations import parts as annotation_parts
from lotus_assets.stages.tape.microtape_frames import read_frames


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("taped")
def test_a_day_has_every_series_and_comes_out_the_same_again(ctx: StageContext, days: Sequence[str]) -> None:
    results = {s.name: run_stage(replace(ctx, force=s.name == "sanity_table"), s, days[0]) for s in TAPE_STAGES}
    made = results["sanity_table"]
    assert not made.failed_checks
    table = ctx.lake.read(SANITY_TABLE.name, ctx.tape_branch, days[0])
    series = {(str(k), str(s)) for k, s in zip(table["kind"], table["series"], strict=True)}
    assert {s for k, s in series if k == "frame"} == set(FRAME_SERIES)
    assert {s for k, s in series if k == "detector"} == {d.detector_id for d in shipped_detectors()}
    z = {name for part in annotation_parts(ctx) for name in part.spec.names if name.startswith("z_")}
    assert {s for k, s in series if k == "expert"} == z | {"micro_llr"}
    names = [asset.name for asset in ctx.manifest.universe]
    assert made.rows == len(table["n"]) == len(series) * len(HORIZONS_S) * (len(names) + 1)
    frames = read_frames(ctx, days[0])
    second = (table["series"] == "imb_1") & (table["horizon_s"] == 1)
    for index, name in enumerate(names):
        known = frames.columns(index)["imb_1"][:-5]
        (n,) = table["n"][second & (table["asset"] == name)].tolist()
        assert 0.99 * np.isfinite(known).sum() - 20 <= n <= np.isfinite(known).sum()
    assert made.table is not None
    assert len(made.table.rows) == len(series) * len(HORIZONS_S)
    assert sum(v for k, v in made.notes.items() if k.startswith("rows: ")) == len(made.table.rows)
    assert set(table["asset"].tolist()) == {*names, ALL}
    again = run_stage(replace(ctx, force=True), STAGES["sanity_table"], days[0])
    assert again.content_hash == made.content_hash
