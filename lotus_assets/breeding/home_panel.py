"""The panel of a home: its matured days as the detectors' window programs see them, with the moves that were evaluated.

Moves come from `signal_eval`, where a window stands on the day on which it matures; tables and the signals of the
detectors in force are made of the stored frames and annotations again. Windows of the warm-up only warm.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.coprocessor.panel import RIDGE_DAYS, SPAN_DAYS, Panel, PanelDay, panel_day, panel_of, window_table
from lotus.detectors.registry import scored_detectors, specs_ver
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.windows.row_spec import W_ASSET, W_END
from lotus.hashing import natural_id
from lotus.outcomes.signal_eval import OK, signal_eval_spec
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.day_frames import warmed_frames
from lotus_assets.stages.experts.expert_set import day_annotations
from lotus_assets.stages.history import detectors_of

MOST_DAYS = SPAN_DAYS + RIDGE_DAYS


def matured_days(ctx: StageContext, until: str = "") -> list[str]:
    """Return the days of the branch whose windows were evaluated, up to one, at most as many as a panel uses."""
    days = [day for day in ctx.lake.days("signal_eval", ctx.branch) if not until or day <= until]
    return days[-MOST_DAYS:]


def panel_name(ctx: StageContext, days: Sequence[str]) -> str:
    """Return the hash of what a panel is made of."""
    words = [content_of(ctx, ctx.branch, day, "signal_eval") for day in days]
    frames = [content_of(ctx, ctx.tape_branch, day, "microtape_frames") for day in days]
    experts = [content_of(ctx, ctx.branch, day, "expert_set") for day in days]
    detectors = detectors_of(ctx, days[-1])
    settled = [specs_ver(detectors)] if detectors != scored_detectors(ctx.manifest) else []
    return natural_id("panel", ctx.manifest.version, *days, *words, *frames, *experts, *settled)


def home_panel(ctx: StageContext, days: Sequence[str], progress: Steps = untold) -> Panel:
    """Return the panel of some matured days; what is known already are the detectors of the last of them."""
    return home_panels(ctx, days, ("",), progress)[""]


def home_panels(
    ctx: StageContext, days: Sequence[str], without: Collection[str], progress: Steps = untold
) -> dict[str, Panel]:
    """Return the panel of some matured days as it is without each of some detectors, by name ("": with all)."""
    detectors = detectors_of(ctx, days[-1])
    found = []
    for k, day in enumerate(days):
        progress("days", k, len(days), day)
        found.append(_day(ctx, day, days, detectors))
    panels = {}
    for name in without:
        rest = [k for k, spec in enumerate(detectors) if spec.detector_id != name]
        parts = [replace(day, known=day.known[:, rest]) for day in found]
        horizons = ctx.manifest.outcomes.horizons_s
        panels[name] = panel_of(parts, horizons, ctx.manifest, [detectors[k].horizon_s for k in rest])
    return panels


def _day(ctx: StageContext, day: str, days: Sequence[str], detectors: Sequence[DetectorSpec]) -> PanelDay:
    frames = warmed_frames(ctx, day)
    table, ints, signals = window_table(frames, day_annotations(ctx, day, frames), ctx.manifest, detectors)
    wanted = (ints[:, W_END] - 1) // 86_400_000 * 86_400_000 == day_start_ms(day)
    moves = np.full((len(ints), len(ctx.manifest.outcomes.horizons_s)), np.nan)
    places = {asset.name: k for k, asset in enumerate(ctx.manifest.universe)}
    key = ints[:, W_END] * len(places) + ints[:, W_ASSET]
    order = np.argsort(key, kind="stable")
    for matured in (day, next_day(day)):
        if matured in days:
            ends, values = _moves(ctx, matured, places)
            at = np.minimum(np.searchsorted(key[order], ends), len(order) - 1)
            hit = key[order][at] == ends
            moves[order[at[hit]]] = values[hit]
    moves[~wanted] = np.nan
    signals[~wanted] = 0.0
    return panel_day(table, ints, signals, moves)


def _moves(ctx: StageContext, day: str, places: dict[str, int]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the key of each window that matured on a day, once, and its moves at every horizon, NaN beside a gap."""
    horizons = ctx.manifest.outcomes.horizons_s
    columns = ctx.lake.read(signal_eval_spec(horizons).name, ctx.branch, day)
    asset = np.fromiter(map(places.__getitem__, columns["asset"].tolist()), np.int64, len(columns["asset"]))
    key = columns["window_end_ms"].astype(np.int64) * len(places) + asset
    ends, first = np.unique(key, return_index=True)
    values = np.stack([columns[f"fwd_ret_bps_{h}"][first].astype(np.float64) for h in horizons], axis=1)
    values[columns["status"][first] != OK] = np.nan
    return ends, values
