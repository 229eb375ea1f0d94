"""exploration_plan of a night: what exploring cost and taught on the day, the floors that follow, and their acts.

It runs inside governance_acts where the settings switch it on, and on branch main alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.curation.act import CurationAct
from lotus.detectors.scoring.records import floors_of
from lotus.governance.exploration_day import (
    EXPLORATION_PLAN,
    day_sums,
    explored,
    free_propensity,
    plan_rows,
    sums_of,
)
from lotus.governance.explorer import PAST_DAYS, bar_of, exploration_acts, explore
from lotus.learning.axes import axes
from lotus.timebase import next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import ACTS, commits_before, detectors_of
from lotus_assets.stages.lake_tables import LakeTable
from lotus_assets.stages.scoring.signal_eval import read_maturing, read_outcomes
from lotus_store.columns import coded, places_of
from lotus_store.day_tables import tables_of_day
from lotus_store.ledger.beliefs.lessons import read_experiments
from lotus_store.ledger.day_commits import read_commit

_EVENTS = ("event_id", "detector_id", "s", "kr_hbar", "ln_sigma_tilde", "tau_pub", "temperature", "gate", "tables_ver")
_SCORES = ("event_id", "p", "level", "published", "payoff_p", "payoff_y", "h", "f", "block")
UNASKED_NATS = 3.2  # of a night without a slot: one look at .04


@dataclass(frozen=True, slots=True)
class ExploredNight:
    """The rows of a night, the acts of the explorer, and what of them is to be written."""

    rows: LakeTable
    acts: tuple[CurationAct, ...]
    fresh: tuple[CurationAct, ...]
    why: str


def explores(ctx: StageContext) -> bool:
    """Tell whether the explorer decides on this branch."""
    return ctx.settings.governance.explorer and ctx.branch == "main"


def explored_night(ctx: StageContext, day: str, from_day: str, earlier: Sequence[CurationAct]) -> ExploredNight:
    """Return what the explorer decides after a learning day."""
    names = [d.detector_id for d in detectors_of(ctx, day)]
    today = day_sums(_windows(ctx, day, names), names)
    past = [read_plan(ctx, d) for d in plan_days(ctx, day)]
    days = [*(sums_of(rows, names) for rows in past), today]
    before = dict(zip(past[-1]["detector_id"].tolist(), past[-1]["epsilon"].tolist(), strict=True)) if past else {}
    night = read_experiments(ctx.sig, ctx.branch, day, "night").get("night", {})
    critical = float(min(night["critical"])) if night.get("looked") else UNASKED_NATS
    gross, hbar, windows = (sum(float(d[name].sum()) for d in days) for name in ("gross", "hbar", "windows"))
    half_life = ctx.manifest.learning.half_life_days
    plan = explore(
        explored(days, names, before), len(days), gross, hbar / max(windows, 1.0),
        bar_of(critical if np.isfinite(critical) else UNASKED_NATS, float(axes().price[2]), half_life),
        ctx.manifest.weave.experiment_share,
    )  # fmt: skip
    wanted = dict(zip(names, plan.epsilon, strict=True))
    acts, fresh = exploration_acts(wanted, ctx.branch, day, from_day, earlier)
    return ExploredNight(plan_rows(names, plan, today), acts, fresh, plan.why)


def plan_days(ctx: StageContext, day: str) -> list[str]:
    """Return the days before a day whose plans serve its own, oldest first."""
    days = [commit.day for commit in commits_before(ctx, ACTS, day, PAST_DAYS - 1)]
    return [d for d in days if ctx.lake.exists(EXPLORATION_PLAN.name, ctx.branch, d)]


def read_plan(ctx: StageContext, day: str) -> LakeTable:
    """Return the plan of a night."""
    return ctx.lake.read(EXPLORATION_PLAN.name, ctx.branch, day, spec=EXPLORATION_PLAN)


def share_of_proposals(ctx: StageContext, before: str | None) -> float:
    """Return the share of windows that experiments on proposals may draw, the explorer's of the night before."""
    share = ctx.manifest.weave.experiment_share
    if before is None or not explores(ctx) or not ctx.lake.exists(EXPLORATION_PLAN.name, ctx.branch, before):
        return share
    given = read_plan(ctx, before)["experiment_share"].astype(np.float64)
    return min(share, float(given[0])) if len(given) else share


def _windows(ctx: StageContext, day: str, names: Sequence[str]) -> Mapping[str, NDArray[np.generic]]:
    """Return the windows of the day's scores, of the detectors in force on it, with what was logged of them."""
    scores = ctx.lake.read("payoff_scores", ctx.branch, day, columns=_SCORES)
    events = read_maturing(ctx, day, _EVENTS)
    at = places_of(scores["event_id"], events["event_id"])
    own = np.isin(events["detector_id"][at].astype(str), names)
    scores, at = {name: values[own] for name, values in scores.items()}, at[own]
    horizons = {d.detector_id: d.horizon_s for d in detectors_of(ctx, day)}
    moves = {h: f"fwd_ret_bps_{h}" for h in sorted(set(horizons.values()))}
    paid = read_outcomes(ctx, day, ("event_id", *moves.values()))
    row = places_of(scores["event_id"], paid["event_id"])
    shown, code = coded(events["detector_id"][at])
    place = np.array([names.index(name) for name in shown], np.int64)[code]
    floor, most = _floors(ctx, day, events["tables_ver"][at], place, names)
    side = np.sign(events["s"].astype(np.float64)[at])
    move = np.zeros(len(at))
    for name, h in horizons.items():
        own = place == names.index(name)
        move[own] = side[own] * paid[moves[h]].astype(np.float64)[row[own]]
    sigma, tau, temperature, gate = (
        events[name].astype(np.float64)[at] for name in ("ln_sigma_tilde", "tau_pub", "temperature", "gate")
    )
    pi = scores["p"].astype(np.float64)
    return {
        "detector": place, "pi": pi, "move": move,
        "free": free_propensity(pi, sigma, tau, temperature, gate, floor, most),
        "published": scores["published"], "level": scores["level"], "paper": scores["payoff_p"],
        "executed": scores["payoff_y"], "hbar": events["kr_hbar"].astype(np.float64)[at], "h": scores["h"],
        "f": scores["f"], "block": scores["block"],
    }  # fmt: skip


def _floors(
    ctx: StageContext, day: str, tables_ver: NDArray[np.generic], place: NDArray[np.int64], names: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the floor of each window and the most that field braids make of it, by the tables that it names."""
    epsilon = ctx.manifest.score.epsilon
    floor, most = np.full(len(place), epsilon), np.full(len(place), np.inf)
    for d in (next_day(day, -1), day):
        if read_commit(ctx.sig, ctx.branch, d, "signal_events") is not None:
            tables = tables_of_day(ctx.lake, ctx.branch, d)
            own = tables_ver == tables.tables_ver
            by_acts = floors_of(tables, epsilon)
            for k, name in enumerate(names):
                if name in tables.detector_ids:
                    at, rows = tables.detector_ids.index(name), own & (place == k)
                    floor[rows], most[rows] = by_acts[0][at], by_acts[1][at]
    return floor, most
