"""meta_signals[day]: the budget cues of every window and asset, from the day's events under the day's tables.

On a Monday (UTC) the weights of asymmetry are fitted again over the 28 days before it, and where others than those in
force are better, acts of the refit put them in force for a week, from the second day after on or, where the night is
late by the daemon's own log, from the first free one.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.curation.act import CurationAct
from lotus.curation.asymmetry import weight_acts
from lotus.curation.law import LAG_DAYS
from lotus.detectors import asymmetry_fit as fit
from lotus.detectors.asymmetry_fit import AsymmetryRows, asymmetry_rows, refit_weights, winner
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.meta_signals import EVENT_COLUMNS, META_SIGNALS, MetaSignals, in_scoring_order
from lotus.errors import SchemaError
from lotus.hashing import natural_id
from lotus.timebase import next_day
from lotus_assets.stages.chain import commit_of, content_of
from lotus_assets.stages.context import Cell, Made, Plot, Stage, StageContext, TextTable
from lotus_assets.stages.experts.judged_days import is_judged
from lotus_assets.stages.history import commits_before
from lotus_assets.stages.lake_tables import Columns, TablePart, joint_hash, present_of, utf8_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.shared_columns import read_shared
from lotus_store.columns import concatenated
from lotus_store.databases import Connection
from lotus_store.day_tables import tables_of_day
from lotus_store.ledger.beliefs.acts import acts_of_night, lifts_and_lifted, put_acts
from lotus_store.ledger.beliefs.expert_sets import first_free_day
from lotus_store.ledger.day_commits import DayCommit

PARTS = [TablePart(META_SIGNALS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's events, whose hash covers the version of their tables; on a Monday what the refit reads as well."""
    found = {"signal_events": content_of(ctx, ctx.branch, day, "signal_events")}
    if not is_judged(day):
        return found
    commits = [c.content_hash for stage in ("meta_signals", "signal_eval") for c in _past(ctx, stage, day)]
    lifts = [act.act_id for act in lifts_and_lifted(ctx.sig, ctx.branch, day)]
    return {**found, "refit": natural_id(*commits, *lifts)} if commits else found


def make(ctx: StageContext, day: str) -> Made:
    """Write the day's cues and refit their weights; raises `LakeError` when the tables of the day are not there."""
    tables = tables_of_day(ctx.lake, ctx.branch, day)
    columns, scored = (*EVENT_COLUMNS, "close_recv_ns"), commit_of(ctx, ctx.branch, day, "signal_events")
    events = in_scoring_order(read_shared(ctx, "signal_events", scored, columns), tables)
    cues = MetaSignals(ctx.manifest.kernel.window_ms, tables).feed(events)
    order = np.lexsort((utf8_of(cues["asset"]), cues["window_end_ms"]))
    rows = {name: values[order] for name, values in cues.items()}
    written = ctx.lake.write(META_SIGNALS, ctx.branch, day, rows)
    joined = joint_hash(PARTS, [written.content_hash])
    notes: dict[str, Cell] = {
        "windows_with_asymmetry": int(np.isfinite(rows["ms_asym_score"].astype(np.float64)).sum())
    }
    acts, findings = _refit(ctx, day, tables) if is_judged(day) else ([], {})

    def ledger(connection: Connection) -> None:
        put_acts(connection, acts)

    return Made(
        rows=written.rows,
        content_hash=joined,
        checks=(schema_check(META_SIGNALS, rows),),
        notes=notes | findings,
        table=_per_asset(rows),
        plot=_plot(day, rows),
        ledger=ledger,
    )


def _refit(ctx: StageContext, day: str, tables: DayTables) -> tuple[list[CurationAct], dict[str, Cell]]:
    """Return the acts that put the weights of the coming week in force, and how they were found, as notes."""
    in_force = tables.asymmetry_weights or fit.SHIPPED
    try:
        proposals = refit_weights(_rows(ctx, day), in_force)
    except SchemaError as problem:
        return [], {"refit": f"none: {problem}"}
    won = winner(proposals)
    weights = won.weights if won else in_force
    from_day = first_free_day(ctx.sig, ctx.branch, next_day(day, LAG_DAYS))
    reason = f"refit: {won.kind}, {won.verdict}" if won else "refit: in force stays, nothing is better"
    acts = weight_acts(
        ctx.branch, day, from_day, weights, reason, acts_of_night(ctx.sig, ctx.branch, day),
        lifts_and_lifted(ctx.sig, ctx.branch, day),
    )  # fmt: skip
    findings: dict[str, Cell] = {f"refit_{one.kind}": str(one.verdict) for one in proposals}
    is_fitted = tuple(weights) != fit.SHIPPED
    findings |= {"refit": f"{won.kind} taken up" if won else "refused: what is in force stays"}
    return acts, findings | ({"asymmetry_weights": " ".join(f"{w:g}" for w in weights), "in_force_from": from_day}
                         if is_fitted else {})  # fmt: skip


def _past(ctx: StageContext, stage: str, day: str) -> list[DayCommit]:
    """Return the commits of a stage in the 28 days before a day, oldest first."""
    first = next_day(day, -fit.FIT_DAYS)
    return [c for c in commits_before(ctx, stage, day, fit.FIT_DAYS) if c.day >= first]


def _rows(ctx: StageContext, day: str) -> AsymmetryRows:
    """Return the windows of the days before a Monday with cues and the next hour's excursions.

    Of a shorter time where no horizon of the manifest is an hour: the longest that is not longer.
    """
    horizons = [h for h in ctx.manifest.outcomes.horizons_s if h <= fit.HORIZON_S]
    if not horizons:
        raise SchemaError(f"horizons {ctx.manifest.outcomes.horizons_s} s", f"one of at most {fit.HORIZON_S} s")
    paid = [f"{name}_{max(horizons)}" for name in ("mfe", "mae")]
    cues = _thinned(ctx, _past(ctx, "meta_signals", day), fit.COLUMNS)
    outcomes = _thinned(ctx, _past(ctx, "signal_eval", day), paid)
    return asymmetry_rows(
        cues["asset"], cues["window_end_ms"], np.stack([cues[name] for name in fit.COLUMNS], axis=1),
        outcomes["asset"], outcomes["window_end_ms"], *(outcomes[name] for name in paid),
    )  # fmt: skip


def _thinned(ctx: StageContext, commits: Sequence[DayCommit], columns: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return columns of committed days at the rows of the fit, with the number of their asset; f8 but for keys."""
    index = {asset.name: k for k, asset in enumerate(ctx.manifest.universe)}
    parts: list[dict[str, NDArray[Any]]] = []
    for commit in commits:
        read = ctx.lake.read(commit.stage, ctx.branch, commit.day, columns=("window_end_ms", "asset", *columns))
        at = np.flatnonzero(np.asarray(read["window_end_ms"], np.int64) % fit.EVERY_MS == 0)
        numbers = np.array([index.get(name, -1) for name in read["asset"][at].tolist()], np.int64)
        kept = {name: np.asarray(read[name][at], np.float64)[numbers >= 0] for name in columns}
        ends = np.asarray(read["window_end_ms"][at], np.int64)[numbers >= 0]
        parts.append({"window_end_ms": ends, "asset": numbers[numbers >= 0], **kept})
    none = {"window_end_ms": np.zeros(0, np.int64), "asset": np.zeros(0, np.int64)}
    parts.append(none | {name: np.zeros(0) for name in columns})
    return concatenated(parts)


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
