"""A day of windows as they were logged, with all that they were scored by and what they paid, to be scored again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.counterfactual.rescored import EVENT_COLUMNS
from lotus.detectors.daily.tables import DayTables
from lotus.outcomes.signal_eval import OK
from lotus.priors.types import PriorsVersion
from lotus.timebase import next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import detectors_of
from lotus_assets.stages.lake_tables import LakeTable
from lotus_assets.stages.scoring.signal_eval import read_maturing, read_outcomes
from lotus_store.columns import coded, places_of
from lotus_store.day_tables import served_tables, tables_of_day
from lotus_store.ledger.beliefs.acts import acts_on
from lotus_store.ledger.beliefs.priors import read_version
from lotus_store.ledger.day_commits import read_commit

Floats = NDArray[np.float64]
Codes = dict[str, tuple[list[str], NDArray[np.int64]]]
_TEXTS = ("detector_id", "asset", "tables_ver", "priors_ver")


@dataclass(frozen=True, slots=True, eq=False)
class LoggedDay:
    """Events (`EVENT_COLUMNS`) that matured on a day, the place of each text among its names, tables and priors named.

    `rows` of the events have a known payoff: `paper` f8, modelled, and `executed` f8, null where nothing was.
    """

    day: str
    events: LakeTable
    codes: Codes
    tables: list[DayTables]
    versions: list[PriorsVersion]
    rows: NDArray[np.int64]
    paper: Floats
    executed: Floats

    def taken(self, some: NDArray[np.bool_]) -> "LoggedDay":
        """Return the day with those of its `rows` as its only events."""
        at = self.rows[some]
        events = {name: values[at] for name, values in self.events.items()}
        codes: Codes = {name: (names, place[at]) for name, (names, place) in self.codes.items()}
        paid = self.paper[some], self.executed[some]
        return LoggedDay(self.day, events, codes, self.tables, self.versions, np.arange(len(at)), *paid)


def named_versions(ctx: StageContext, names: Sequence[str], read: dict[str, PriorsVersion]) -> list[PriorsVersion]:
    """Return versions of the priors by their names; `read` keeps them from day to day."""
    for name in names:
        read[name] = read.get(name) or read_version(ctx.sig, ctx.branch, name)
    return [read[name] for name in names]


def logged_day(ctx: StageContext, day: str, read: dict[str, PriorsVersion]) -> LoggedDay:
    """Read a day; `read` keeps versions of the priors from day to day."""
    events = read_maturing(ctx, day, EVENT_COLUMNS)
    paid = read_outcomes(ctx, day, ("event_id", "payoff_p", "payoff_y", "status"))
    codes: Codes = {name: coded(events[name]) for name in _TEXTS}
    versions = named_versions(ctx, codes["priors_ver"][0], read)
    tables = _tables(ctx, day, codes["tables_ver"][0])
    rows = places_of(paid["event_id"], events["event_id"])
    kept = np.flatnonzero((rows >= 0) & (paid["status"] == OK))
    paper, executed = (paid[name][kept].astype(np.float64) for name in ("payoff_p", "payoff_y"))
    return LoggedDay(day, events, codes, tables, versions, rows[kept], paper, executed)


def _tables(ctx: StageContext, day: str, wanted: Sequence[str]) -> list[DayTables]:
    """Return the tables that windows name: those of their days, and those that a daemon scored them under."""
    days = [d for d in (next_day(day, -1), day) if read_commit(ctx.sig, ctx.branch, d, "signal_events") is not None]
    named = {one.tables_ver: one for one in (tables_of_day(ctx.lake, ctx.branch, d) for d in days)}
    for d in days if set(wanted) - named.keys() else ():
        acts = acts_on(ctx.sig, ctx.branch, d)
        for one in served_tables(ctx.lake, ctx.branch, d, ctx.manifest, detectors_of(ctx, d), acts):
            named.setdefault(one.tables_ver, one)
            if named.keys() >= set(wanted):
                break
    return list(named.values())
