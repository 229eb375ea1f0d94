"""governance_acts[day]: what the curators do after a learning day, in force from the second day after it.

It runs when the beliefs of the day are settled. Each curator judges the same facts; what it proposes becomes an act if
the law allows it. A night that is late, by the daemon's own log, acts from the first free day on. The health of the
day's feed is written beside, for later nights. Nothing is judged here.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from lotus.curation.act import CurationAct, CurationKind
from lotus.curation.caps import LOOK_DAYS, caps_after
from lotus.curation.curator_value import CURATOR_VALUE
from lotus.curation.facts import NightFacts
from lotus.curation.feed_health import FEED_HEALTH, feed_day, feed_health
from lotus.curation.law import LAG_DAYS
from lotus.curation.night import NightActs, night_acts
from lotus.curation.registry import BY_RULE, SIG
from lotus.curation.sig.compliance import unmatched
from lotus.detectors.daily.make import QUALITY_DAYS
from lotus.detectors.registry import specs_ver
from lotus.governance.exploration_day import EXPLORATION_PLAN
from lotus.hashing import content_hash, natural_id
from lotus.microtape.frames.spec import MICROTAPE_QUOTES
from lotus.timebase import next_day
from lotus_assets.stages.chain import LAST_STAGE, content_of
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.day_frames import day_frames
from lotus_assets.stages.governance.acts_value import value_of_day, values_before
from lotus_assets.stages.governance.curator_kpis import night_kpis
from lotus_assets.stages.governance.exploration import explored_night, explores, plan_days
from lotus_assets.stages.governance.night_facts import FEED_DAYS, audit_commits, drift_days, night_facts
from lotus_assets.stages.history import ACTS, commits_before, detectors_of, digests_before
from lotus_assets.stages.lake_tables import LakeTable, TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.scoring.signal_eval import two_days
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.acts import acts_of_night, lifts_and_lifted, put_acts
from lotus_store.ledger.beliefs.expert_sets import first_free_day
from lotus_store.ledger.curator_kpis import put_kpis

PARTS = [TablePart(FEED_HEALTH), TablePart(CURATOR_VALUE)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Everything that the facts are made of, the settings, and people's lifts that were said before this night."""
    detectors, curation = detectors_of(ctx, day), ctx.settings.curation
    _, history = digests_before(ctx, next_day(day), detectors, QUALITY_DAYS)
    own = {stage: content_of(ctx, ctx.branch, day, stage) for stage in ("signal_eval", "detector_cards", LAST_STAGE)}
    return {
        **own,
        **two_days(ctx, ctx.branch, day, "signal_events"),
        "microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames"),
        "audits": natural_id(*(commit.content_hash for commit in audit_commits(ctx, day))),
        "feeds": natural_id(*(commit.content_hash for commit in commits_before(ctx, ACTS, day, FEED_DAYS))),
        "values": natural_id(*(commit.content_hash for commit in commits_before(ctx, ACTS, day, LOOK_DAYS))),
        "drift": natural_id(*(commit.content_hash for commit in drift_days(ctx, day))),
        "specs": specs_ver(detectors),
        "settings": natural_id(str(curation.acts), *curation.forbidden),
        "lifts": natural_id(*(act.act_id for act in _standing(ctx, day))),
        **(_explorer_inputs(ctx, day) if explores(ctx) else {}),
        **{f"history {name}": value for name, value in history.items()},
    }


def _explorer_inputs(ctx: StageContext, day: str) -> dict[str, str]:
    """Return what the explorer decides by beside the facts of the curators."""
    plans = natural_id(*(ctx.lake.hash_of(EXPLORATION_PLAN.name, ctx.branch, d) for d in plan_days(ctx, day)))
    return {"explorer": plans, "payoff_scores": content_of(ctx, ctx.branch, day, "payoff_scores")}


def make(ctx: StageContext, day: str) -> Made:
    """Look at the feed, let every curator judge, and leave the acts to the commit."""
    rows = feed_health(day_frames(ctx, day), _quotes(ctx, day), ctx.tape.header().assets)
    value = value_of_day(ctx, day)
    written = [ctx.lake.write(s, ctx.branch, day, t) for s, t in ((FEED_HEALTH, rows), (CURATOR_VALUE, value))]
    facts = night_facts(ctx, day, feed_day(day, rows))
    from_day = first_free_day(ctx.sig, ctx.branch, next_day(day, LAG_DAYS))
    earlier = acts_of_night(ctx.sig, ctx.branch, day)
    roles = SIG if ctx.settings.curation.acts else BY_RULE
    past = values_before(ctx, day)
    caps = caps_after([*past], [*past.values()], day)
    decided = night_acts(facts, caps, from_day, earlier, _standing(ctx, day), roles)
    rows_of_kpis = night_kpis(ctx, day, [*past.values(), value])

    exploring = explored_night(ctx, day, from_day, earlier) if explores(ctx) else None
    if exploring is not None:
        ctx.lake.write(EXPLORATION_PLAN, ctx.branch, day, exploring.rows)

    def ledger(connection: Connection) -> None:
        put_acts(connection, (*decided.fresh, *(exploring.fresh if exploring else ())))
        put_kpis(connection, ctx.branch, day, rows_of_kpis)

    acts = (*decided.acts, *(exploring.acts if exploring else ()))
    lines = [f"{act.actor} {act.kind} {act.target} {act.value!r}" for act in acts]
    lines += [content_hash(exploring.rows)] if exploring else []
    content = natural_id(joint_hash(PARTS, [part.content_hash for part in written]), *sorted(lines))
    notes: dict[str, Cell] = {
        "acts": len(acts),
        "vetoes": sum(act.kind == CurationKind.VETO for act in decided.acts),
        "in_force_on": from_day if acts else "",
        "held_back": decided.held_back,
    }
    checks = (_schema(rows, value), lawful_check(facts, decided))
    return Made(len(acts), content, checks, notes, _table(acts), ledger=ledger)


def _schema(feed: LakeTable, value: LakeTable) -> CheckOutcome:
    first, second = schema_check(FEED_HEALTH, feed), schema_check(CURATOR_VALUE, value)
    return second if first.passed else first


def lawful_check(facts: NightFacts, decided: NightActs) -> CheckOutcome:
    """Every proposal of a curator is within the law, and every rule of compliance names something."""
    faults = [
        *decided.refused,
        *(f"curation.forbidden names {entry!r}, which is nothing" for entry in unmatched(facts)),
    ]
    text = "; ".join(faults)[:400] or f"{len(decided.acts)} acts, all within the law"
    return CheckOutcome("lawful", not faults, text, {"acts": len(decided.acts), "faults": len(faults)})


def _standing(ctx: StageContext, day: str) -> list[CurationAct]:
    """Return people's lifts that were said before this night and may hold on a day of it, and the acts they name."""
    return lifts_and_lifted(ctx.sig, ctx.branch, day)


def _quotes(ctx: StageContext, day: str) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    names = ("recv_ns", "time_ms")
    tables = {
        asset.name: ctx.lake.read(MICROTAPE_QUOTES.name, ctx.tape_branch, day, asset.name, columns=names)
        for asset in ctx.manifest.universe
    }
    return {
        coin: (table["recv_ns"].astype(np.int64), table["time_ms"].astype(np.int64)) for coin, table in tables.items()
    }


def _table(acts: tuple[CurationAct, ...]) -> TextTable:
    rows = [(act.actor, act.kind, act.target, act.value, act.from_day, act.reason) for act in acts]
    return TextTable(("curator", "act", "on", "log nudge", "in force on", "why"), rows)


STAGE = Stage(ACTS, inputs, make, present_of(PARTS))
