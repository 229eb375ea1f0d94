"""detector_dsi_attrib[day]: the credit of every expert in the windows that each detector published and that matured.

Windows are those of `signal_eval` of the day; z is what the experts of the window's own day said at its close, under
the weights that were in force on that day. The formulas are `lotus.experts.attribution`.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.experts.annotation_spec import EXPERTS
from lotus.experts.attribution import DETECTOR_DSI_ATTRIB, AttributedWindows, attribution
from lotus.outcomes.signal_eval import OK
from lotus.timebase import BLOCK_MS, day_start_ms, next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.experts.spoken_at import z_at
from lotus_assets.stages.lake_tables import Columns, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.scoring.signal_eval import read_maturing, read_outcomes, two_days
from lotus_store.columns import places_of
from lotus_store.ledger.day_commits import read_commit

PARTS = [TablePart(DETECTOR_DSI_ATTRIB)]
SHOWN = 3  # experts of a detector with the most and with the least credit


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The outcomes of the day, the events they belong to, and the experts of both days with what they said."""
    return {
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        **two_days(ctx, ctx.branch, day, "signal_events"),
        **two_days(ctx, ctx.branch, day, "expert_set"),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Join outcomes with what the experts said, write the rows, check them."""
    rows = attribution(published_windows(ctx, day), EXPERTS)
    written = ctx.lake.write(DETECTOR_DSI_ATTRIB, ctx.branch, day, rows)
    checks = (schema_check(DETECTOR_DSI_ATTRIB, rows),)
    return Made(written.rows, joint_hash(PARTS, [written.content_hash]), checks, {}, _overview(rows))


def published_windows(ctx: StageContext, day: str) -> AttributedWindows:
    """Return the published windows that matured whole on the day."""
    names = ("event_id", "detector_id", "asset", "window_end_ms", "payoff_p", "status")
    outcomes = read_outcomes(ctx, day, names)
    events = read_maturing(ctx, day, ("event_id", "s", "published"))
    places = places_of(outcomes["event_id"], events["event_id"])
    payoff = outcomes["payoff_p"].astype(np.float64)
    kept = np.flatnonzero(
        (outcomes["status"] == OK) & events["published"][places].astype(np.bool_) & np.isfinite(payoff)
    )
    end_ms, side = (
        outcomes["window_end_ms"].astype(np.int64)[kept],
        np.sign(events["s"].astype(np.float64)[places[kept]]),
    )
    z, weights = _evidence(ctx, day, outcomes["asset"][kept], end_ms)
    return AttributedWindows(
        detector=outcomes["detector_id"][kept].astype(object),
        side=side,
        payoff=payoff[kept],
        block=end_ms // BLOCK_MS,
        z=z,
        weights=weights,
    )


def _evidence(
    ctx: StageContext, day: str, assets: NDArray[np.generic], end_ms: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return z f8[n, experts] at the ends of windows and the weights of their days."""
    z, weights = np.full((len(end_ms), len(EXPERTS)), np.nan), np.zeros((len(end_ms), len(EXPERTS)))
    before = end_ms - ctx.manifest.kernel.window_ms < day_start_ms(day)
    for which, own_rows in ((next_day(day, -1), before), (day, ~before)):
        if not own_rows.any() or read_commit(ctx.sig, ctx.branch, which, "expert_set") is None:
            continue
        experts = experts_of(ctx, which)
        z[own_rows] = z_at(ctx, experts, which, assets[own_rows], end_ms[own_rows])
        weights[own_rows] = np.array(experts.weights)
    return z, weights


def _overview(rows: Columns) -> TextTable:
    """The experts with the most and the least credit of every detector."""
    header = ("detector_id", "expert_id", "windows", "share", "agreement", "credit", "credit_low", "credit_high")
    lines = list(zip(*(rows[name].tolist() for name in header), strict=True))
    shown = []
    for detector in sorted({line[0] for line in lines}):
        own_lines = sorted((line for line in lines if line[0] == detector), key=lambda line: (-line[5], line[1]))
        shown += [*own_lines[:SHOWN], *own_lines[-SHOWN:]]
    return TextTable(header, shown)


STAGE = Stage("detector_dsi_attrib", inputs, make, present_of(PARTS))
