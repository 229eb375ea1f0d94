"""The KPIs of every curator over 60 learning days: what each is judged by, as numbers of a night.

Of sig: value of nudges and regret of vetoes (`curator_value`), days with its veto alone, false promotions, survival,
N_eff, audits passed before and after its first act; of dm and tr: how often each spoke and what plans cost that it let
pass. A KPI that nothing is known for has no row. Nothing is read here. (Literature: balanced scorecard.)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lotus.curation.curator_value import KPI_DAYS, PEOPLE, Columns, kpis
from lotus.curation.registry import SIG
from lotus.detectors.cards.lifecycle import LifecycleStage
from lotus.detectors.curators import CURATOR
from lotus.timebase import next_day

FALSE_WITHIN_DAYS: Final = 30
AUDITS_OF: Final = {"leakage": "leakage", "adversarial": "adversarial"}  # kind of audit by curator


@dataclass(frozen=True, slots=True)
class KpiRow:
    """One number of one curator: `value` with its 95 % interval where there is one, resting on `n` cases."""

    module: str
    curator: str
    kpi: str
    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class StageChange:
    """One change of a version's stage of life."""

    day: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class AuditTally:
    """Audits of one kind on a day: how many were made, how many passed."""

    day: str
    made: int
    passed: int


def of_acts(values: Sequence[Columns]) -> list[KpiRow]:
    """Return value, regret and lonely days of each actor from CURATOR_VALUE of the days, oldest first."""
    days, rows = values[-KPI_DAYS:], []
    for kpi in kpis(days):
        name = kpi.actor.removeprefix(CURATOR)
        if kpi.nudged:
            value = kpi.value
            rows.append(KpiRow("sig", name, "value of nudges, bps", value.total, value.low, value.high, kpi.nudged))
        if kpi.regret_bps is not None:
            rows.append(KpiRow("sig", name, "mean P of vetoed windows, bps", kpi.regret_bps, None, None, kpi.vetoed))
        alone = sum(
            any(a == kpi.actor and n > 0 for a, n in zip(day["actor"].tolist(), day["alone"].tolist(), strict=True))
            for day in days
        )
        if kpi.vetoed:
            rows.append(KpiRow("sig", name, "days with its veto alone", float(alone), None, None, len(days)))
    return rows


def of_lives(
    lives: Mapping[str, Sequence[StageChange]], scores: Iterable[Mapping[str, float | None]], promote: float, night: str
) -> list[KpiRow]:
    """Return the false promotions and the survival of versions, by name, as the mutation curator is judged.

    A promotion is false that is followed by deprecation within 30 days; one younger than that is not judged. `scores`:
    sq_score by version, of each day.
    """
    judged = false = 0
    for changes in lives.values():
        for k, change in enumerate(changes):
            until = next_day(change.day, FALSE_WITHIN_DAYS)
            if change.new != LifecycleStage.ACTIVE or change.old == "":
                continue
            ended = any(x.new == LifecycleStage.DEPRECATED and x.day <= until for x in changes[k + 1 :])
            if ended or until <= night:
                judged, false = judged + 1, false + ended
    above: dict[str, int] = {}
    for day in scores:
        for name, score in day.items():
            above[name] = above.get(name, 0) + (score is not None and score >= promote)
    rows = [KpiRow("sig", "mutation", "false promotions, share", false / judged, None, None, judged)] if judged else []
    if above:
        mean = sum(above.values()) / len(above)
        rows.append(KpiRow("sig", "mutation", "days above sq_promote, mean", mean, None, None, len(above)))
    return rows


def of_audits(days: Mapping[str, Sequence[AuditTally]]) -> list[KpiRow]:
    """Return the share of audits passed up to the first day that failed one, and after it, by curator."""
    rows = []
    for curator, kind in AUDITS_OF.items():
        made = sorted((day for day in days.get(kind, ()) if day.made), key=lambda day: day.day)
        first = next((k for k, day in enumerate(made) if day.passed < day.made), len(made) - 1)
        for name, part in (("before", made[: first + 1]), ("after", made[first + 1 :])):
            if n := sum(day.made for day in part):
                share = sum(day.passed for day in part) / n
                rows.append(KpiRow("sig", curator, f"audits passed {name} it acted, share", share, None, None, n))
    return rows


def of_diversity(n_eff: Sequence[float]) -> list[KpiRow]:
    """Return the effective number of detectors: of the newest day that has one."""
    finite = [x for x in n_eff if x == x]
    if not finite:
        return []
    return [KpiRow("sig", "diversity", "effective number of detectors", finite[-1], None, None, len(finite))]


def in_order(rows: Iterable[KpiRow]) -> list[KpiRow]:
    """Return rows in the order of the registry, then by name; people last."""
    place = {role.name: k for k, role in enumerate(SIG)} | {PEOPLE: len(SIG)}
    modules = ("sig", "dm", "tr")
    return sorted(rows, key=lambda r: (modules.index(r.module), place.get(r.curator, 99), r.curator, r.kpi))
