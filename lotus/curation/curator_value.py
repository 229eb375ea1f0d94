"""CURATOR_VALUE: what each actor's acts did to the windows that matured on a day, and what they were worth.

A nudge is valued exactly: the sum of nudges is additive before its clip, so the day's tables say what is left without
one. A veto has no published windows to be valued by; of it stand the number of windows and their modelled payoffs, the
regret. KPIs sum the last 60 learning days. Nothing steers by it but the cap of a curator at the end of a month.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.curation.act import BIT_OF_ACTOR
from lotus.curation.value import DaySum, gained, moved_propensity, over_days
from lotus.detectors.curators import log_nudges
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.signal_spec import ACTS, PERSON

Columns = Mapping[str, NDArray[np.generic]]
KPI_DAYS: Final = 60
PEOPLE: Final = "people"
EVENT_COLUMNS: Final = (
    "event_id", "detector_id", "asset", "s", "veto", "published", "pi", "ln_sigma_tilde", "tau_pub", "temperature",
    "gate", "tables_ver",
)  # fmt: skip

CURATOR_VALUE: Final = TableSpec(
    "curator_value",
    ("actor",),
    (
        Column("actor", "text", "", f"curator:NAME, or {PEOPLE}"),
        Column("nudged", "i8", "windows", "matured windows whose propensity its nudges moved", low=0),
        Column("value_bps", "f8", "bps", "dV: what its nudges added, over all of them"),
        Column("vetoed", "i8", "windows", "matured windows with a signal that only acts vetoed, its too", low=0),
        Column("vetoed_p_bps", "f8", "bps", "sum of their modelled payoffs"),
        Column("alone", "i8", "windows", "those of them that nobody else vetoed", low=0),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CuratorKpi:
    """One actor over the last 60 learning days: value of nudges, veto regret (mean P), windows and days."""

    actor: str
    value: DaySum
    nudged: int
    vetoed: int
    regret_bps: float | None
    alone: int


def curator_value(
    events: Columns, paper: NDArray[np.float64], executed: NDArray[np.float64], tables: Sequence[DayTables],
    epsilon: float, kappa: float,
) -> dict[str, NDArray[np.generic]]:  # fmt: skip
    """Return the rows of a day in key order; none where no act was in force.

    `events`: `EVENT_COLUMNS` of the windows that matured, `paper` and `executed` their P and Y (NaN = none); `tables`:
    those that they name; `kappa`: of fragility.
    """
    rows: dict[str, list[float]] = {}
    veto, name = np.asarray(events["veto"], np.int64), np.asarray(events["detector_id"], dtype=object)
    signals, published = np.asarray(events["s"], np.float64) != 0.0, np.asarray(events["published"], np.bool_)
    pi = np.asarray(events["pi"], np.float64)
    for one in tables:
        own_tables = events["tables_ver"] == one.tables_ver
        for actor in sorted({actor for by_actor in one.curator_nudge for actor in by_actor}):
            change = _change_without(one, actor, kappa)
            moved = np.zeros(len(pi))
            for d, detector in enumerate(one.detector_ids):
                moved[own_tables & (name == detector)] = change[d]
            other = moved_propensity(events, moved, epsilon)
            row = rows.setdefault(_shown(actor), [0, 0.0, 0, 0.0, 0])
            row[0] += int(np.count_nonzero(other != pi))
            row[1] += float(gained(pi, other, published, paper, executed).sum())
    only_acts = signals & (veto != 0) & (veto & ~ACTS == 0) & np.isfinite(paper)
    for actor, bit in (*BIT_OF_ACTOR.items(), (PEOPLE, PERSON)):
        hit = only_acts & (veto & bit != 0)
        if hit.any():
            row = rows.setdefault(actor, [0, 0.0, 0, 0.0, 0])
            row[2:] = [int(hit.sum()), float(paper[hit].sum()), int(np.count_nonzero(veto[hit] == bit))]
    names = sorted(rows)
    columns = [names, *(list(v) for v in zip(*(rows[n] for n in names), strict=True))] if rows else [[]] * 6
    keys = CURATOR_VALUE.names
    return {k: np.array(v, dtype=CURATOR_VALUE.numpy_dtype(k)) for k, v in zip(keys, columns, strict=True)}


def kpis(days: Sequence[Columns], level: float = 0.95) -> list[CuratorKpi]:
    """Return the KPIs over days of the table, in order of actor; a day without a row of an actor counts as 0."""
    rows = [dict(zip(day["actor"].tolist(), zip(*_numbers(day), strict=True), strict=True)) for day in days[-KPI_DAYS:]]
    out = []
    for actor in sorted({actor for day in rows for actor in day}):
        nudged, value, vetoed, paid, alone = zip(*(day.get(actor, (0, 0.0, 0, 0.0, 0)) for day in rows), strict=True)
        regret = sum(paid) / sum(vetoed) if sum(vetoed) else None
        out.append(
            CuratorKpi(actor, over_days(value, level), int(sum(nudged)), int(sum(vetoed)), regret, int(sum(alone)))
        )
    return out


def _numbers(day: Columns) -> list[list[float]]:
    return [day[name].tolist() for name in CURATOR_VALUE.names[1:]]


def _change_without(tables: DayTables, actor: str, kappa: float) -> NDArray[np.float64]:
    """Return f8[D]: how ln sigma of each detector moves when an actor's nudges are left out."""
    left = tuple({a: log for a, log in by_actor.items() if a != actor} for by_actor in tables.curator_nudge)
    without = replace(tables, curator_nudge=left if any(left) else ())
    return log_nudges(without, kappa) - log_nudges(tables, kappa)


def _shown(actor: str) -> str:
    return actor if actor.startswith("curator:") else PEOPLE
