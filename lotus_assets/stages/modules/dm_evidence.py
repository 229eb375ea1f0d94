"""dm_evidence[day]: what became known on the day that the decision-maker learns from, as sums.

Outcomes by source, horizon, regime and score; promises by probability; what pairs of sources said; returns of minutes;
where braids fired, what their claims came to beyond the promises of scores.
From these a nightly run knows months without reading their windows. Promises are those of the calibration in force on
each window's own day: that of the newest nightly run before it, which had seen neither the day nor the window.
"""

from collections.abc import Mapping

import numpy as np

from lotus.decision.allocation.covariance import DM_RETURNS
from lotus.decision.knowledge.claims import DM_CLAIMS, in_force, no_claims
from lotus.decision.knowledge.evidence import EVENT_COLUMNS, evaluated_columns, outcome_sums_spec
from lotus.decision.knowledge.likeness import DM_LIKENESS
from lotus.decision.knowledge.nightly import DaySums, Mids, evidence_of
from lotus.decision.knowledge.promises import DM_PROMISES
from lotus.timebase import next_day
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Made, Stage, StageContext, TextTable
from lotus_assets.stages.history import commits_before
from lotus_assets.stages.lake_tables import TablePart, joint_hash, parts_hash
from lotus_assets.stages.modules.fired_claims import FIRED_COLUMNS, with_claims_of
from lotus_assets.stages.schema_check import schema_check, together
from lotus_assets.stages.scoring.signal_eval import read_events, read_outcomes, two_days
from lotus_resources.recent_values import RecentKind
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.ledger.trading.knowledge import Knowledge, knowledge_of

NIGHT = "dm_knowledge"
_FITTED, _SUMS = RecentKind("nights", 8), RecentKind("day sums", 128)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Events of the two days, outcomes and frames of the day, the nightly runs whose calibrations promised them."""
    nights = {f"promised[{d}]": night.content_hash for d, night in _nights(ctx, day).items()}
    return {
        **two_days(ctx, ctx.branch, day, "signal_events"),
        "signal_eval": content_of(ctx, ctx.branch, day, "signal_eval"),
        "microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames"),
        **nights,
    }


def make(ctx: StageContext, day: str) -> Made:
    """Sum the day and write the four tables."""
    horizons = ctx.manifest.outcomes.horizons_s
    evaluated = read_outcomes(ctx, day, evaluated_columns(horizons))
    nights = {d: _night(ctx, night) for d, night in _nights(ctx, day).items()}
    fitted = {d: night.calibration for d, night in nights.items()}
    slopes = {d: in_force(night.claims) for d, night in nights.items()}
    events = with_claims_of(ctx, read_events(ctx, day, (*EVENT_COLUMNS, *FIRED_COLUMNS)))
    sums = evidence_of(day, events, evaluated, horizons, fitted, _mids(ctx, day), slopes)
    tables = [sums.outcomes, sums.promises, sums.likeness, sums.returns]
    if len(sums.claims["n"]):
        tables.append(sums.claims)
    else:
        ctx.lake.remove(DM_CLAIMS.name, ctx.branch, day)
    parts = [*_parts(ctx), TablePart(DM_CLAIMS)][: len(tables)]
    written = [ctx.lake.write(p.spec, ctx.branch, day, t) for p, t in zip(parts, tables, strict=True)]
    schema = together("schema", *(schema_check(p.spec, t) for p, t in zip(parts, tables, strict=True)))
    notes = {"outcomes": int(sums.outcomes["n"].sum()), "promised": int(sums.promises["n"].sum())}
    joined = joint_hash(parts, [w.content_hash for w in written])
    return Made(sum(w.rows for w in written), joined, (schema,), notes, _table(sums))


def read_evidence(ctx: StageContext, commit: DayCommit) -> DaySums:
    """Return the sums of a committed day."""
    key = (ctx.branch, commit.day, commit.content_hash)

    def read() -> DaySums:
        tables = [ctx.lake.read(part.spec.name, ctx.branch, commit.day) for part in _present_parts(ctx, commit.day)]
        claims = tables.pop() if len(tables) > len(_parts(ctx)) else no_claims()
        outcomes, promises, likeness, returns = tables
        return DaySums(outcomes, promises, likeness, returns, claims)

    return ctx.recent.get(_SUMS, key, read)


def present(ctx: StageContext, day: str) -> str:
    """Hash of the tables that are in the lake."""
    return parts_hash(ctx, ctx.branch, day, _present_parts(ctx, day))


def _present_parts(ctx: StageContext, day: str) -> list[TablePart]:
    """Return the parts of a day: the table of claims is there only when a braid with a claim fired."""
    claims = [TablePart(DM_CLAIMS)] if ctx.lake.exists(DM_CLAIMS.name, ctx.branch, day) else []
    return [*_parts(ctx), *claims]


def _parts(ctx: StageContext) -> list[TablePart]:
    specs = (outcome_sums_spec(ctx.manifest.outcomes.horizons_s), DM_PROMISES, DM_LIKENESS, DM_RETURNS)
    return [TablePart(spec) for spec in specs]


def _nights(ctx: StageContext, day: str) -> dict[str, DayCommit]:
    """Return the run in force on the day and on the one before, by day; none where the branch knew nothing yet."""
    commits = {d: commits_before(ctx, NIGHT, d, 1) for d in (next_day(day, -1), day)}
    return {d: nights[0] for d, nights in commits.items() if nights}


def _night(ctx: StageContext, night: DayCommit) -> Knowledge:
    def read() -> Knowledge:
        with ctx.databases.connect("dm") as dm:
            return knowledge_of(dm, ctx.branch, night.day, night.day)

    return ctx.recent.get(_FITTED, (ctx.branch, night.day, night.content_hash), read)


def _mids(ctx: StageContext, day: str) -> Mids:
    mids = {}
    for asset in ctx.manifest.universe:
        rows = ctx.lake.read("microtape_frames", ctx.tape_branch, day, asset.name, columns=("end_ms", "mid"))
        mids[asset.name] = (rows["end_ms"].astype(np.int64), rows["mid"].astype(np.float64))
    return mids


def _table(sums: DaySums) -> TextTable:
    rows = sums.outcomes
    lines = []
    for source in sorted(set(rows["source"].tolist())):
        own_rows = rows["source"] == source
        weight, kept = float(rows["w"][own_rows].sum()), sums.promises["source"] == source
        promised = int(sums.promises["n"][kept].sum())
        mean = float(rows["wy"][own_rows].sum()) / weight
        lines.append((source, int(rows["n"][own_rows].sum()), weight, mean, promised))
    return TextTable(("source", "outcomes", "weight", "mean paid, bps", "promised"), lines)


STAGE = Stage("dm_evidence", inputs, make, present)
