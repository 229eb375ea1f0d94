"""What the braids that people spoke about were worth on the seven days before a Monday; nothing without acts.

Of sig from stored windows scored again: an approved braid as it acted against none, a rejected one as it would have
acted (its whole patch, at level 0) against none. Of dm and tr from the trials of its knob, whatever was in force. The
score of a reviewer is `lotus.governance.review_skill`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lotus.counterfactual.change import WhatIfChange
from lotus.counterfactual.rescored import Scoring, rescored
from lotus.curation.value import gained
from lotus.governance.credit.braid_credit import MOVED
from lotus.governance.review_skill import APPROVE, ReviewValue, is_scored, is_within, last_day
from lotus.hashing import natural_id, round_learned
from lotus.knobs.compositions import is_across
from lotus.learning.monitor import unpatched_blocks
from lotus.learning.rows import rows_by_detector
from lotus.modules.intents import Module
from lotus.priors.types import SCORING, PriorsVersion
from lotus.weave.braid import Braid
from lotus.weave.review import ReviewAct
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance.credit_week import credited_days
from lotus_assets.stages.governance.week_part import PartMade, WeekPart
from lotus_assets.stages.history import detectors_of_branch, hashes
from lotus_assets.stages.modules import dm_knobs, tr_knobs
from lotus_assets.stages.scoring.logged_day import LoggedDay, logged_day
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs import knob_nights
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.review_values import write_review_values
from lotus_store.ledger.beliefs.reviews import read_reviews
from lotus_store.ledger.bodies import to_body

Named = tuple[ReviewAct, Braid]
KNOBS = {lane.module: lane for lane in (dm_knobs.LANE, tr_knobs.LANE)}


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The acts that are looked at, and the outcomes of their days."""
    out = dict(hashes(credited_days(ctx, day)))
    for module, lane in KNOBS.items():
        out |= hashes(credited_days(ctx, day, lane.evidence.name))
        out[f"acts of {module}"] = natural_id(to_body([act for act, _ in _named(ctx, day, module)]))
    return out | {"acts of sig": natural_id(to_body([act for act, _ in _named(ctx, day, Module.SIG)]))}


def make(ctx: StageContext, day: str, before: Mapping[str, PartMade]) -> PartMade:
    """Value every act on every day of the week that lies in its 30 days."""
    found = {Module.SIG: _of_scores(ctx, day)}
    found |= {module: _of_trials(ctx, day, module) for module in KNOBS}

    def ledger(connection: Connection) -> None:
        write_review_values(connection, ctx.branch, day, {m.value: rows for m, rows in found.items()})

    rows = sum(map(len, found.values()))
    decided = natural_id(*(f"{module} {row}" for module, values in found.items() for row in values)) if rows else ""
    return PartMade(rows, decided, notes={"values": rows} if rows else {}, ledger=ledger)


def _named(ctx: StageContext, day: str, module: Module) -> list[Named]:
    """Return the acts of a module that have a counterfactual, whose 30 days reach into the week, with their braids."""
    days = credited_days(ctx, day)
    if not days:
        return []
    if module is Module.SIG:
        acts = read_reviews(ctx.sig, ctx.branch)
        board = read_registry(ctx.sig, ctx.branch, day) if acts else []
    else:
        with ctx.databases.connect(module.value) as own:
            acts = read_reviews(own, ctx.branch, module=module.value)
            board = knob_nights.read_registry(own, module.value, ctx.branch, day) if acts else []
    braids = {braid.braid_id: braid for braid in board if not is_across(braid)}
    wanted = [a for a in acts if is_scored(a) and a.target in braids and a.asof_day < days[-1].day]
    return [(a, braids[a.target]) for a in wanted if last_day(a) >= days[0].day]


def _within(named: Sequence[Named], day: str) -> list[Named]:
    return [(act, braid) for act, braid in named if is_within(act, day)]


def _of_scores(ctx: StageContext, day: str) -> list[ReviewValue]:
    named = [(a, b) for a, b in _named(ctx, day, Module.SIG) if b.scope in SCORING and b.braid_type != "field"]
    versions, out = dict[str, PriorsVersion](), list[ReviewValue]()
    for commit in credited_days(ctx, day):
        here = _within(named, commit.day)
        if here:
            logged = logged_day(ctx, commit.day, versions)
            out += [_revalued(ctx, logged, act, braid) for act, braid in here]
    return out


def _revalued(ctx: StageContext, logged: LoggedDay, act: ReviewAct, braid: Braid) -> ReviewValue:
    """Return what a braid added on a day, or would have, over the windows of its detector whose payoffs are known."""
    names, place = logged.codes["detector_id"]
    if braid.detector_id not in names:
        return ReviewValue(act.act_id, logged.day, 0, 0.0)
    of_detector = place[logged.rows] == names.index(braid.detector_id)
    own = logged.taken(of_detector & np.isfinite(logged.paper))
    added = () if act.kind == APPROVE else (replace(braid, patch=braid.target).active(),)
    scoring = Scoring(ctx.manifest, detectors_of_branch(ctx), WhatIfChange(braids=(braid.braid_id,)), None, added)
    pi = own.events["pi"].astype(np.float64)
    other = rescored(scoring, own.events, own.codes, own.tables, own.versions).pi
    sign = 1.0 if act.kind == APPROVE else -1.0
    total = sign * gained(pi, other, own.events["published"].astype(np.bool_), own.paper, own.executed).sum()
    windows = int((np.abs(pi - other) > MOVED).sum())
    return ReviewValue(act.act_id, logged.day, windows, float(round_learned(np.array([total]))[0]))


def _of_trials(ctx: StageContext, day: str, module: Module) -> list[ReviewValue]:
    """Return the same of a module's knobs: the sum of demeaned trials in the rule, in the direction of the braid."""
    named, table, out = _named(ctx, day, module), KNOBS[module].evidence.name, list[ReviewValue]()
    for commit in credited_days(ctx, day, table) if named else ():
        scores = ctx.lake.read(table, ctx.branch, commit.day) if commit.rows else None
        rows = {} if scores is None else rows_by_detector({commit.day: scores}, 1)
        for act, braid in _within(named, commit.day):
            own = rows.get(braid.detector_id)
            if own is None:
                out.append(ReviewValue(act.act_id, commit.day, 0, 0.0))
                continue
            gain = braid.sign * float(unpatched_blocks(own, braid.rule, ()).gain.sum())
            seen = int(own.covered(braid.rule).sum())
            out.append(ReviewValue(act.act_id, commit.day, seen, float(round_learned(np.array([gain]))[0])))
    return out


PART = WeekPart("reviews", inputs, make)
