"""style_payoffs[day]: what each published window that matured on the day would have paid at rest, by both bounds.

From tape alone: signals, times and prints, never what a venue answered. The trader's trials read it; no detector does.
"""

from collections.abc import Mapping

import numpy as np

from lotus.microtape.prints import MICROTAPE_PRINTS
from lotus.outcomes.style_table import RESTING, STYLE_PAYOFFS, style_payoffs
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.lake_tables import Columns, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.scoring.outcome_tape import style_tape
from lotus_assets.stages.scoring.signal_eval import EVENT_COLUMNS, read_maturing, read_outcomes, two_days

PARTS = [TablePart(STYLE_PAYOFFS)]
PRINTS = MICROTAPE_PRINTS.name
_ROWS = ("event_id", "detector_id", "asset", "window_end_ms", "maturity_ms", "horizon_s", "status")


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's outcomes, their events, and the tape of both days."""
    return {
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        **two_days(ctx, ctx.branch, day, "signal_events"),
        **two_days(ctx, ctx.tape_branch, day, "microtape_frames"),
        **two_days(ctx, ctx.tape_branch, day, PRINTS),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Let every published window rest in every style."""
    events, rows = read_maturing(ctx, day, EVENT_COLUMNS), read_outcomes(ctx, day, _ROWS)
    table = style_payoffs(events, rows, style_tape(ctx, day), ctx.manifest, day_start_ms(next_day(day)))
    written = ctx.lake.write(STYLE_PAYOFFS, ctx.branch, day, table)
    joined = joint_hash(PARTS, [written.content_hash])
    notes = {"beyond_the_tape": int(np.isnan(table["cross"].astype(np.float64)).sum())}
    return Made(written.rows, joined, (schema_check(STYLE_PAYOFFS, table),), notes, _means(table))


def _means(table: Columns) -> TextTable:
    """Return the mean payoffs by style; a window counts where all styles have one."""
    columns = {name: np.asarray(table[name], dtype=np.float64) for name in ("cross", *_bounds())}
    is_paid = np.all([np.isfinite(values) for values in columns.values()], axis=0)
    lines = [
        (name, int(is_paid.sum()), float(np.mean(v[is_paid])) if is_paid.any() else 0.0) for name, v in columns.items()
    ]
    return TextTable(("style", "windows", "mean net payoff, bps"), lines)


def _bounds() -> list[str]:
    return [f"{style}_{bound}" for style in RESTING for bound in ("low", "high")]


STAGE = Stage("style_payoffs", inputs, make, present_of(PARTS))
