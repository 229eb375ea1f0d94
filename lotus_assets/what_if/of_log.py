"""A change asked of the log: windows that matured on each day, drawn again under it, and what that was worth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.counterfactual.masked_evidence import evidence_without, of_side
from lotus.counterfactual.off_policy import DayWorth, worth_of_day
from lotus.counterfactual.rescored import AS_LOGGED, EVENT_COLUMNS, Scoring, rescored
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import scored_detectors
from lotus.experts.annotation_spec import DSI_WINDOWS, EXPERTS
from lotus.outcomes.signal_eval import OK
from lotus.priors.types import PriorsVersion
from lotus.progress.steps import Steps
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts.expert_set import experts_of, lake_branch
from lotus_assets.stages.experts.spoken_at import said
from lotus_assets.stages.lake_tables import LakeTable
from lotus_assets.stages.scoring.signal_eval import read_maturing, read_outcomes
from lotus_assets.what_if.question import WhatIfQuestion
from lotus_store.columns import coded, concatenated, places_of
from lotus_store.day_tables import served_tables, tables_of_day
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.priors import read_version
from lotus_store.ledger.day_commits import read_commit

Codes = dict[str, tuple[list[str], NDArray[np.int64]]]
_TEXTS = ("detector_id", "asset", "tables_ver", "priors_ver")


def log_days(
    ctx: StageContext, question: WhatIfQuestion, progress: Steps
) -> list[DayWorth]:  # fmt: skip
    """Return what the change was worth on each day; raises what a lake without its days raises."""
    scoring = Scoring(ctx.manifest, scored_detectors(ctx.manifest), question.change, question.other_priors)
    versions: dict[str, PriorsVersion] = {}
    out = []
    for k, commit in enumerate(question.days):
        progress("days of the log", k, len(question.days), commit.day)
        out.append(_day(ctx, scoring, commit.day, versions))
    return out


def _day(ctx: StageContext, scoring: Scoring, day: str, read: dict[str, PriorsVersion]) -> DayWorth:
    events = read_maturing(ctx, day, EVENT_COLUMNS)
    paid = read_outcomes(ctx, day, ("event_id", "payoff_p", "payoff_y", "status"))
    codes: Codes = {name: coded(events[name]) for name in _TEXTS}
    for name in codes["priors_ver"][0]:
        read[name] = read.get(name) or read_version(ctx.sig, ctx.branch, name)
    tables = _tables(ctx, day, codes["tables_ver"][0])
    evidence, unlike = _evidence(ctx, day, scoring, events, codes) if scoring.change.experts else (None, 0)
    found = rescored(scoring, events, codes, tables, [read[name] for name in codes["priors_ver"][0]], evidence)
    rows = places_of(paid["event_id"], events["event_id"])
    kept = np.flatnonzero((rows >= 0) & (paid["status"] == OK))
    at = rows[kept]
    paper, executed = (paid[name][kept].astype(np.float64) for name in ("payoff_p", "payoff_y"))
    pi, published = events["pi"].astype(np.float64), events["published"].astype(np.bool_)
    return worth_of_day(day, pi[at], found.pi[at], published[at], paper, executed, found.unlike + unlike)


def _tables(ctx: StageContext, day: str, wanted: Sequence[str]) -> list[DayTables]:
    """Return the tables that windows name: those of their days, and those that a daemon scored them under."""
    days = [d for d in (next_day(day, -1), day) if read_commit(ctx.sig, ctx.branch, d, "signal_events") is not None]
    named = {one.tables_ver: one for one in (tables_of_day(ctx.lake, ctx.branch, d) for d in days)}
    for d in days if set(wanted) - named.keys() else ():
        acts = acts_on(ctx.sig, ctx.branch, d)
        for one in served_tables(ctx.lake, ctx.branch, d, scored_detectors(ctx.manifest), acts):
            named.setdefault(one.tables_ver, one)
            if named.keys() >= set(wanted):
                break
    return list(named.values())


def _evidence(
    ctx: StageContext, day: str, scoring: Scoring, events: LakeTable, codes: Codes
) -> tuple[NDArray[np.float64], int]:
    """Return the evidence of windows without experts; where masking nobody gives other evidence, as it was logged."""
    names, place = codes["asset"]
    at = {asset.name: k for k, asset in enumerate(ctx.manifest.universe)}
    asset = np.array([at[name] for name in names], np.int64)[place]
    end_ms, s = events["window_end_ms"].astype(np.int64), events["s"].astype(np.float64)
    wanted = _key(asset, end_ms // ctx.manifest.kernel.cadence_ms)
    logged = events["mx_evidence"].astype(np.float64)
    out, unlike = logged.copy(), 0
    before = end_ms - ctx.manifest.kernel.window_ms < day_start_ms(day)
    for which, own_rows in ((next_day(day, -1), before), (day, ~before)):
        if not own_rows.any() or read_commit(ctx.sig, ctx.branch, which, "expert_set") is None:
            continue
        experts = experts_of(ctx, which)
        branch = lake_branch(ctx, experts)
        columns = ("asset", "frame_idx", *(f"z_{name}" for name in EXPERTS))
        universe = ctx.manifest.universe
        spoken = concatenated([said(ctx.lake, DSI_WINDOWS.name, branch, which, a.name, columns) for a in universe])
        keys = _key(spoken["asset"].astype(np.int64), spoken["frame_idx"].astype(np.int64))
        order = np.argsort(keys, kind="stable")
        found = order[np.minimum(np.searchsorted(keys, wanted[own_rows], sorter=order), len(keys) - 1)]
        z = np.column_stack([spoken[f"z_{name}"].astype(np.float64) for name in EXPERTS])
        whole, masked = (
            of_side(evidence_without(z, experts, gone)[found], s[own_rows]) for gone in ((), scoring.change.experts)
        )
        own = logged[own_rows]
        is_same = (keys[found] == wanted[own_rows]) & (
            (np.abs(whole - own) <= AS_LOGGED) | (np.isnan(whole) & np.isnan(own))
        )
        out[own_rows] = np.where(is_same, masked, own)
        unlike += int(np.count_nonzero(~is_same))
    return out, unlike


def _key(asset: NDArray[np.int64], frame_idx: NDArray[np.int64]) -> NDArray[np.int64]:
    return (asset << 44) | frame_idx
