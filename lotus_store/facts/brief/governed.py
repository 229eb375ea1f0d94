"""What the brief says of governance: parity, acts in force, lessons near zero, whether learning helps; and the week.

Sections of the week are read from the tables that weekly stages fill, where those are; nothing is computed again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import sql

from lotus.curation.act import OF_EXPERTS, CurationAct, CurationKind
from lotus.governance.braid_days import BRAID_DAYS, CrossingZero, crossing_zero
from lotus.governance.ladder_table import LADDER_STEPS
from lotus.governance.learning_kpis import KPI_DAYS, LEARNING_KPIS, LearningKpi, kpis_of
from lotus.timebase import next_day
from lotus.weave.watchdog import DISPUTED
from lotus_store.config import Settings
from lotus_store.databases import Connection
from lotus_store.facts.acts import curator_rows
from lotus_store.facts.brief.line import BriefLine, Colour
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.acts import acts_ending_after
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.review_values import reviewers_judged
from lotus_store.ledger.beliefs.reviews import review_rows
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.ledger.fixture_bundles import cpu_of_days
from lotus_store.postgres.queries import query

SHOWN: Final = 5  # acts or lessons that a line names
ROWS: Final = 12  # of a section of the week
WEEK: Final = 7
HOUR_S: Final = 3600.0
NOT_KNOWN: Final = "not known"


@dataclass(frozen=True, slots=True)
class GovernedTable:
    """A section of the week: a title, a sentence and rows of texts under their header."""

    title: str
    sentence: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Governed:
    """The facts: KPIs of the day (none before the first), those per CPU hour among them; the tables of the week."""

    kpis: tuple[LearningKpi, ...] = ()
    week: tuple[GovernedTable, ...] = ()


NOTHING: Final = Governed()


@dataclass(frozen=True, slots=True)
class WeekTable:
    """A table of the ledger that the week shows: its column of the day, the columns shown, and what orders its rows."""

    name: str
    key: str
    title: str
    sentence: str
    columns: tuple[str, ...]
    order: str
    where: Mapping[str, str]


_STEP: Final = ("subject", "rung", "to_rung", "verdict")
ALL: Final[Mapping[str, str]] = {}
WEEK_TABLES: Final = (
    WeekTable(
        "expert_credit", "day", "Credit of experts", "What each added to payoffs, bps a learning day; 95 % over days.",
        ("expert_id", "votes", "delta_value", "low", "high", "days"), "delta_value", {"asset": "", "detector_id": ""},
    ),
    WeekTable(
        "braid_credit", "day", "Credit of beliefs", "What each added to payoffs, bps a learning day; 95 % over days.",
        ("braid_id", "detector_id", "delta_value", "low", "high", "days"), "delta_value", ALL,
    ),
    WeekTable(
        "dsi_expert_costs", "day", "What experts cost", "Nanoseconds a frame; the marginal cost is what nobody shares.",
        ("expert_id", "cost_ns", "marginal_ns", "latency_p95_ns"), "cost_ns", ALL,
    ),
    WeekTable(
        "compute_allocations", "day", "Who was given compute", "q is the probability with which an arm was drawn.",
        ("kind", "arm", "q", "drawn", "cost", "quota"), "q", ALL,
    ),
    WeekTable(
        "what_ifs", "to_day", "What was asked of stored days", "Each question counts against the level of the others.",
        ("number", "change", "from_day", "to_day"), "number", ALL,
    ),
)  # fmt: skip


def governed_of(settings: Settings, sig: Connection, day: str, with_week: bool) -> Governed:
    """Return the facts of a day of the branch, `with_week` those of the seven days to it too."""
    lake = Lake(settings.lake_root)
    if not lake.exists(LEARNING_KPIS.name, settings.branch, day):
        return Governed((), _week(settings, sig, lake, day) if with_week else ())
    kpis = kpis_of(lake.read(LEARNING_KPIS.name, settings.branch, day))
    days = [one for one in lake.days(LEARNING_KPIS.name, settings.branch) if one <= day][-KPI_DAYS:]
    cpu = cpu_of_days(sig, settings.branch, days)
    hours = sum(cpu.values()) / len(cpu) * len(days) / HOUR_S if cpu else 0.0
    named = {kpi.kpi: kpi for kpi in kpis}
    if hours > 0.0:
        found = named["yield"].over(
            hours * KPI_DAYS / max(1, named["yield"].n), "yield_per_cpu_hour", "patches an hour"
        )
        kpis += [found, named["net_value"].over(hours, "net_value_per_cpu_hour", "USD an hour")]
    return Governed(tuple(kpis), _week(settings, sig, lake, day) if with_week else ())


def governed_lines(
    settings: Settings, sig: Connection, day: str, commits: Sequence[DayCommit]
) -> tuple[BriefLine, ...]:
    """Return the lines of a day of the branch, after its nightly run."""
    lake = Lake(settings.lake_root)
    days = [one for one in lake.days(BRAID_DAYS.name, settings.branch) if one <= day][-KPI_DAYS:]
    crossing = crossing_zero([lake.read(BRAID_DAYS.name, settings.branch, one) for one in days])
    return (
        parity_line(commits),
        acts_line(acts_ending_after(sig, settings.branch, day), next_day(day)),
        crossing_line(crossing if days[-1:] == [day] else []),
    )


def parity_line(commits: Sequence[DayCommit]) -> BriefLine:
    """Tell whether the daemon's log holds what batch computes."""
    question, command = "Is live what batch says?", "lotus verify parity"
    checks = [
        check for commit in commits if commit.stage == "signal_events" for check in commit.notes.get("checks", [])
        if check["name"] == "live_parity"
    ]  # fmt: skip
    if not checks:
        return BriefLine(Colour.GOOD, question, "the day was not scored", command)
    return BriefLine(Colour.GOOD if checks[0]["passed"] else Colour.ACT, question, str(checks[0]["text"]), command)


def acts_line(acts: Sequence[CurationAct], today: str) -> BriefLine:
    """Tell which acts of curators and people hold on `today`, the day after, or from a later day on; vetoes first."""
    acts = [a for a in acts if a.until_day > today and a.kind != CurationKind.SIGN_OFF]
    acts = sorted(acts, key=lambda a: a.kind != CurationKind.VETO)
    parts = [f"{_does(a)}, {a.reason}, {_lasts(a, today)}" for a in acts]
    colour = Colour.LOOK if any(a.kind == CurationKind.VETO for a in acts) else Colour.GOOD
    return BriefLine(colour, "What do acts hold back?", _shown(parts) or "nothing", "lotus curate summary")


_TAKEN: Final[Mapping[str, str]] = {CurationKind.OFF: "has no vote", CurationKind.IDLE: "is not computed"}


def _does(act: CurationAct) -> str:
    if act.kind in OF_EXPERTS:
        return f"{act.actor}: {act.target} {_TAKEN[act.kind]}"
    what = "veto of" if act.kind == CurationKind.VETO else f"{act.value:+.3g} on"
    return f"{act.actor}: {what} {act.target}"


def _lasts(act: CurationAct, today: str) -> str:
    to = f"to {next_day(act.until_day, -1)}"
    return to if act.at_once or act.from_day <= today else f"from {act.from_day} {to}"


def crossing_line(crossing: Sequence[CrossingZero]) -> BriefLine:
    """Tell which lessons in force are no longer shown to pay; a light, which ends nothing."""
    parts = [
        f"{one.detector_id} ({one.braid_id[:8]}) paid {one.mean_bps:+.2f} bps, lower bound {one.p05_bps:+.2f}, in "
        f"{one.days} days"
        for one in crossing
    ]
    colour = Colour.LOOK if parts else Colour.GOOD
    return BriefLine(colour, "Which lessons may pay nothing?", _shown(parts) or "none", "lotus review list")


def kpi_rows(kpis: Sequence[LearningKpi]) -> list[tuple[str, ...]]:
    """Return number, value, interval, n and unit of each as they are read."""
    return [
        (kpi.kpi.replace("_", " "), _number(kpi.value), _reach(kpi.low, kpi.high), str(kpi.n), kpi.unit) for kpi in kpis
    ]


def _week(settings: Settings, sig: Connection, lake: Lake, day: str) -> tuple[GovernedTable, ...]:
    tables = [
        _curators(sig, lake, settings.branch), _reviewers(sig, settings.branch), _disputes(settings, sig, day),
        _ladder(lake, settings.branch, day),
    ]  # fmt: skip
    return tuple(tables + [_section(sig, settings.branch, day, table) for table in WEEK_TABLES])


def _section(sig: Connection, branch: str, day: str, table: WeekTable) -> GovernedTable:
    """Return the rows of a table that belong to the week."""
    asked = sql.SQL(query("views", "rows_of_week").decode()).format(
        table=sql.Identifier(table.name), key=sql.Identifier(table.key)
    )
    place = {"branch": branch, "after": next_day(day, -WEEK), "day": day}
    rows = [row for (row,) in sig.execute(asked, place) if all(row.get(k) == v for k, v in table.where.items())]
    rows.sort(key=lambda row: _order(row.get(table.order)), reverse=True)
    shown = tuple(tuple(_cell(row.get(name)) for name in table.columns) for row in rows[:ROWS])
    more = _more(len(rows)) if rows else " Nothing in this week."
    header = tuple(name.replace("_", " ") for name in table.columns)
    return GovernedTable(table.title, table.sentence + more, header, shown)


def _more(many: int) -> str:
    return f" The first {ROWS} of {many}." if many > ROWS else ""


def _curators(sig: Connection, lake: Lake, branch: str) -> GovernedTable:
    rows = tuple(
        (str(row["name"]), str(row["nudged"]), _number(row["value_bps"]),
         _reach(row["value_low"], row["value_high"]), str(row["vetoed"]), _number(row["regret_bps"]))
        for row in curator_rows(sig, lake, branch) if row["days"] is not None
    )  # fmt: skip
    header = "curator", "nudged windows", "value, bps", "95 %", "vetoed windows", "regret, bps"
    sentence = "Over 60 learning days: what nudges added, and the mean modelled payoff of what was vetoed."
    return GovernedTable("Curators", sentence if rows else "No curator acted in 60 learning days.", header, rows)


def _reviewers(sig: Connection, branch: str) -> GovernedTable:
    """Return how the acts of people on sig's lessons turned out after 30 days."""
    _, skills = reviewers_judged(sig, branch, "sig", review_rows(sig, branch))
    rows = tuple(
        (one.author, str(one.judged), str(one.right), str(one.unknown), _number(one.brier), _number(one.regret_bps),
         _reach(one.low, one.high))
        for one in skills
    )  # fmt: skip
    header = "who", "acts judged", "right", "not known", "Brier score", "regret, bps", "95 %"
    sentence = "What lessons paid in the 30 days after people approved or rejected them; one half scores 0.25."
    return GovernedTable("Reviewers", sentence if rows else "No act of a person is 30 days old.", header, rows)


def _ladder(lake: Lake, branch: str, day: str) -> GovernedTable:
    """Return where the week's Monday put every subject of the ladder, who moved first."""
    header = ("subject", "was on", "is on", "why")
    days = [one for one in lake.days(LADDER_STEPS.name, branch) if next_day(day, -WEEK) < one <= day]
    if not days:
        return GovernedTable("Steps of the ladder", "No Monday in this week.", header, ())
    read = lake.read(LADDER_STEPS.name, branch, days[-1], columns=_STEP)
    rows = list(zip(*(read[name].tolist() for name in _STEP), strict=True))
    moved = [row for row in rows if row[1] != row[2]]
    stay = [row for row in rows if row[1] == row[2]]
    sentence = f"{len(moved)} of {len(rows)} moved on Monday {days[-1]}.{_more(len(rows))}"
    return GovernedTable("Steps of the ladder", sentence, header, tuple([*moved, *stay][:ROWS]))


def _disputes(settings: Settings, sig: Connection, day: str) -> GovernedTable:
    disputed = [b for b in read_registry(sig, settings.branch, day) if b.in_force and DISPUTED in b.tags]
    rows = tuple((b.detector_id, b.braid_id[:8], f"{b.claim_bps:+.2f}") for b in disputed)
    sentence = "Lessons in force that the weekly second opinion does not confirm." if rows else "None is disputed."
    return GovernedTable("Disputed lessons", sentence, ("detector", "braid", "claim, bps"), rows)


def _order(value: Any) -> tuple[bool, Any]:
    return (value is not None, 0 if value is None else value)


def _cell(value: Any) -> str:
    if value is None:
        return NOT_KNOWN
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else _number(value)


def _number(value: Any) -> str:
    if value is None or value != value:
        return NOT_KNOWN
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _reach(low: Any, high: Any) -> str:
    ends = [_number(low), _number(high)]
    return NOT_KNOWN if ends == [NOT_KNOWN] * 2 else " to ".join(ends)


def _shown(parts: Sequence[str]) -> str:
    more = f"; and {len(parts) - SHOWN} more" if len(parts) > SHOWN else ""
    return "; ".join(parts[:SHOWN]) + more
