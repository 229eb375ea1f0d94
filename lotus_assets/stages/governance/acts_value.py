"""What acts did to the windows that matured on a day: their rows and outcomes, and the tables that they name."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from lotus.curation.caps import LOOK_DAYS
from lotus.curation.curator_value import CURATOR_VALUE, EVENT_COLUMNS, curator_value
from lotus.detectors.daily.tables import DayTables
from lotus.outcomes.evaluate import rows_named
from lotus.timebase import next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import ACTS, commits_before, detectors_of, vetoes_at_once
from lotus_assets.stages.lake_tables import LakeTable
from lotus_assets.stages.scoring.signal_eval import read_maturing, read_outcomes
from lotus_resources.recent_values import RecentKind
from lotus_store.day_tables import served_tables, tables_of_day
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.day_commits import read_commit

_VALUES = RecentKind("values of acts", 512)


def value_of_day(ctx: StageContext, day: str) -> LakeTable:
    """Return CURATOR_VALUE of a day; nothing is read of windows where no act was in force."""
    days = [d for d in (next_day(day, -1), day) if read_commit(ctx.sig, ctx.branch, d, "signal_events") is not None]
    tables = [tables_of_day(ctx.lake, ctx.branch, d) for d in days]
    is_acted = any(one.curator_nudge or one.curator_veto for one in tables)
    if not is_acted and not any(vetoes_at_once(ctx, d) for d in days):
        names = CURATOR_VALUE.names
        return {name: np.zeros(0, CURATOR_VALUE.numpy_dtype(name)) for name in names}
    paid = read_outcomes(ctx, day, ("event_id", "payoff_p", "payoff_y"))
    events = read_maturing(ctx, day, EVENT_COLUMNS)
    tables += _others(ctx, days, set(events["tables_ver"].tolist()) - {one.tables_ver for one in tables})
    rows = rows_named(paid["event_id"], events["event_id"])
    score = ctx.manifest.score
    return curator_value(
        {name: values[rows] for name, values in events.items()}, paid["payoff_p"].astype(np.float64),
        paid["payoff_y"].astype(np.float64), tables, score.epsilon, score.kappa_fragility,
    )  # fmt: skip


def values_before(ctx: StageContext, day: str) -> dict[str, LakeTable]:
    """Return CURATOR_VALUE of the learning days before a day, by day, oldest first."""
    past = commits_before(ctx, ACTS, day, LOOK_DAYS)
    past = [commit for commit in past if ctx.lake.exists(CURATOR_VALUE.name, ctx.branch, commit.day)]
    return {
        c.day: ctx.recent.get(_VALUES, (ctx.branch, c.day, c.content_hash), partial(_value, ctx, c.day)) for c in past
    }


def _value(ctx: StageContext, day: str) -> LakeTable:
    return ctx.lake.read(CURATOR_VALUE.name, ctx.branch, day)


def _others(ctx: StageContext, days: Sequence[str], wanted: set[str]) -> list[DayTables]:
    """Return the tables that a daemon scored days under where they are not those of the batch."""
    named: dict[str, DayTables] = {}
    for day in days if wanted else ():
        detectors, acts = detectors_of(ctx, day), acts_on(ctx.sig, ctx.branch, day)
        for tables in served_tables(ctx.lake, ctx.branch, day, ctx.manifest, detectors, acts):
            if tables.tables_ver in wanted:
                named.setdefault(tables.tables_ver, tables)
            if named.keys() == wanted:
                break
    return list(named.values())
