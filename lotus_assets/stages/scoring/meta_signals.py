"""meta_signals[day]: the budget cues of every window and asset, from the day's events under the day's tables."""

from collections.abc import Mapping

import numpy as np

from lotus.detectors.meta_signals import EVENT_COLUMNS, META_SIGNALS, MetaSignals, in_scoring_order
from lotus_assets.stages.chain import commit_of, content_of
from lotus_assets.stages.context import Made, Plot, Stage, StageContext, TextTable
from lotus_assets.stages.lake_tables import Columns, TablePart, joint_hash, present_of, utf8_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.shared_columns import read_shared
from lotus_store.day_tables import tables_of_day

PARTS = [TablePart(META_SIGNALS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's events, whose hash covers the version of their tables."""
    return {"signal_events": content_of(ctx, ctx.branch, day, "signal_events")}


def make(ctx: StageContext, day: str) -> Made:
    """Write the day's cues; raises `LakeError` when the tables of the day are not there."""
    tables = tables_of_day(ctx.lake, ctx.branch, day)
    columns, scored = (*EVENT_COLUMNS, "close_recv_ns"), commit_of(ctx, ctx.branch, day, "signal_events")
    events = in_scoring_order(read_shared(ctx, "signal_events", scored, columns), tables)
    cues = MetaSignals(ctx.manifest.kernel.window_ms, tables).feed(events)
    order = np.lexsort((utf8_of(cues["asset"]), cues["window_end_ms"]))
    rows = {name: values[order] for name, values in cues.items()}
    written = ctx.lake.write(META_SIGNALS, ctx.branch, day, rows)
    joined = joint_hash(PARTS, [written.content_hash])
    notes = {"windows_with_asymmetry": int(np.isfinite(rows["ms_asym_score"].astype(np.float64)).sum())}
    return Made(
        rows=written.rows,
        content_hash=joined,
        checks=(schema_check(META_SIGNALS, rows),),
        notes=notes,
        table=_per_asset(rows),
        plot=_plot(day, rows),
    )


def _per_asset(rows: Columns) -> TextTable:
    names = ("ms_kairos", "ms_entrain_r", "ms_uncert", "z_oi", "z_f", "z_b", "z_d", "z_w", "ms_asym_score")
    lines = []
    for asset in sorted(set(rows["asset"].tolist())):
        own_rows = rows["asset"] == asset
        lines.append((asset, int(own_rows.sum()), *(_mean(rows[name][own_rows].astype(np.float64)) for name in names)))
    return TextTable(("asset", "windows", *(f"mean {name}" for name in names)), lines)


def _plot(day: str, rows: Columns) -> Plot:
    """Score of the market over the day, one value per window end."""
    _, first = np.unique(rows["window_end_ms"], return_index=True)
    series = {name: rows[name][first].astype(np.float64).tolist() for name in ("ms_asym_market", "ms_asym_breadth")}
    return Plot(f"asymmetry of the market, {day}", series)


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else float("nan")


STAGE = Stage("meta_signals", inputs, make, present_of(PARTS))
