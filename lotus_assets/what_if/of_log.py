"""A change asked of the log: windows that matured on each day, drawn again under it, and what that was worth."""

import numpy as np
from numpy.typing import NDArray

from lotus.counterfactual.masked_evidence import evidence_without, of_side
from lotus.counterfactual.off_policy import DayWorth, worth_of_day
from lotus.counterfactual.rescored import AS_LOGGED, Scoring, rescored
from lotus.experts.annotation_spec import DSI_WINDOWS, EXPERTS
from lotus.priors.types import PriorsVersion
from lotus.progress.steps import Steps
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts.expert_set import experts_of, lake_branch
from lotus_assets.stages.experts.spoken_at import said
from lotus_assets.stages.history import detectors_of_branch
from lotus_assets.stages.lake_tables import LakeTable
from lotus_assets.stages.scoring.logged_day import Codes, Floats, LoggedDay, logged_day
from lotus_assets.what_if.question import WhatIfQuestion
from lotus_store.columns import concatenated
from lotus_store.ledger.day_commits import read_commit


def log_days(ctx: StageContext, question: WhatIfQuestion, progress: Steps) -> list[DayWorth]:
    """Return what the change was worth on each day; raises what a lake without its days raises."""
    scoring = Scoring(ctx.manifest, detectors_of_branch(ctx), question.change, question.other_priors)
    versions: dict[str, PriorsVersion] = {}
    out = []
    for k, commit in enumerate(question.days):
        progress("days of the log", k, len(question.days), commit.day)
        out.append(_worth(ctx, scoring, logged_day(ctx, commit.day, versions)))
    return out


def _worth(ctx: StageContext, scoring: Scoring, one: LoggedDay) -> DayWorth:
    events, at = one.events, one.rows
    evidence, unlike = _evidence(ctx, one.day, scoring, events, one.codes) if scoring.change.experts else (None, 0)
    found = rescored(scoring, events, one.codes, one.tables, one.versions, evidence)
    pi, published = events["pi"].astype(np.float64), events["published"].astype(np.bool_)
    return worth_of_day(one.day, pi[at], found.pi[at], published[at], one.paper, one.executed, found.unlike + unlike)


def _evidence(ctx: StageContext, day: str, scoring: Scoring, events: LakeTable, codes: Codes) -> tuple[Floats, int]:
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
