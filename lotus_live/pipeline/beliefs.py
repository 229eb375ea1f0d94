"""What the daemon believes: priors and experts in force on its branch and the newest day tables, from the ledger.

Reading happens in a worker thread; the pipeline only ever looks things up here. A version takes effect by event time.
One that becomes known after a window of its time was scored is late: a live daemon puts it off in the ledger first and
takes it as the ledger then says (`settled_versions`); a replay refuses it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lotus.curation.act import CurationAct
from lotus.curation.in_force import acted, expert_states, in_force
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.settled import DetectorSet, settled_on, with_settled
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.spec_compile import compile_detectors
from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import ExpertSet
from lotus.experts.weekly.learned import InForce, set_of_day
from lotus.priors.types import PriorsVersion, priors_0
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_store.databases import Databases
from lotus_store.day_tables import has_cards, read_day_tables, tables_after, tables_over
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.acts import acts_ending_after, vetoes_at_once
from lotus_store.ledger.beliefs.braids import claims_of
from lotus_store.ledger.beliefs.detector_sets import read_detector_sets
from lotus_store.ledger.beliefs.expert_sets import read_expert_sets
from lotus_store.ledger.beliefs.late_priors import Put, put_off, settle_late
from lotus_store.ledger.beliefs.priors import read_version, swaps


@dataclass(frozen=True, slots=True)
class KnownTables:
    """The tables of a scored day: as they scored it, and as they serve days after it, with what was found on it.

    `is_final`: its cards were there, which follow its audits.
    """

    own: DayTables
    after: DayTables
    is_final: bool


@dataclass(slots=True)
class LedgerBeliefs:
    """Priors, tables and experts of one branch. `versions` stand in order of their times, the genesis version first.

    `claims_bps` is what the braids of the versions claim, by braid; `acts` are those of governance by name, `given` the
    tables that lanes were born with, by version.
    """

    spec: LaneSpec
    versions: list[PriorsVersion] = field(default_factory=list)
    by_day: dict[str, KnownTables] = field(default_factory=dict)
    refused: list[PriorsVersion] = field(default_factory=list)
    sets: list[InForce] = field(default_factory=list)
    detector_sets: list[DetectorSet] = field(default_factory=list)
    claims_bps: Mapping[str, float] = field(default_factory=dict)
    acts: dict[str, CurationAct] = field(default_factory=dict)
    given: dict[str, DayTables] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with the genesis version."""
        self.versions = self.versions or [priors_0(self.spec.branch)]

    def tables(self, day: str) -> DayTables:
        """Return the tables of a day: its own, else those the newest before it left, else those without history.

        Those of another day are under the acts in force on this one.
        """
        newest, spec = max((d for d in self.by_day if d <= day), default=""), self.spec
        if newest == day:
            return self.by_day[newest].own
        detectors = with_settled(spec.detectors, self.settled(day))
        tables = day_tables(day, [], spec.manifest, spec.universe, detectors)
        if newest:
            tables = replace(tables_over(self.by_day[newest].after, tables), day=day)
        tables = acted(tables, in_force(self.acts.values(), day))
        self.given[tables.tables_ver] = tables
        return tables

    def priors(self, day: str) -> Sequence[PriorsVersion]:
        """Return every version known."""
        return tuple(self.versions)

    def experts(self, day: str) -> ExpertSet:
        """Return the experts in force on a day."""
        return set_of_day(day, self.sets, expert_states(self.acts.values(), day))

    def settled(self, day: str) -> Sequence[DetectorSpec]:
        """Return the settled detectors in force on a day."""
        return settled_on(day, self.detector_sets, self.spec.manifest)

    def accept(self, fresh: Sequence[PriorsVersion], scored_until_ms: int) -> list[PriorsVersion]:
        """Take versions whose time has not come yet; return those taken, and note the late ones as refused."""
        taken = [v for v in fresh if v.effective_from_ms > scored_until_ms]
        self.refused += [v for v in fresh if v.effective_from_ms <= scored_until_ms]
        by_time = {v.effective_from_ms: v for v in (*self.versions, *taken)}
        self.versions = [by_time[moment] for moment in sorted(by_time)]
        return taken

    def has(self, priors_ver: str) -> bool:
        """Tell whether a version was taken or refused already."""
        return any(v.priors_ver == priors_ver for v in (*self.versions, *self.refused))


def ledger_beliefs(databases: Databases, lake: Lake, spec: LaneSpec) -> LedgerBeliefs:
    """Return the beliefs of a branch as a run begins with them (blocking)."""
    beliefs = LedgerBeliefs(spec)
    beliefs.accept(fresh_versions(databases, beliefs), -1)
    beliefs.sets, beliefs.detector_sets = fresh_sets(databases, spec), fresh_detectors(databases, spec)
    beliefs.by_day = read_tables(lake, beliefs)
    beliefs.acts = fresh_acts(databases, spec)
    return beliefs


def fresh_versions(databases: Databases, beliefs: LedgerBeliefs) -> list[PriorsVersion]:
    """Return the versions in force on the branch that the beliefs do not know yet (blocking); note what they claim."""
    branch = beliefs.spec.branch
    with databases.connect("sig") as connection:
        names = [ver for _, ver in swaps(connection, branch, in_force=True) if not beliefs.has(ver)]
        fresh = [read_version(connection, branch, ver) for ver in names]
        strangers = {b.braid_id for version in fresh for b in version.braids} - set(beliefs.claims_bps)
        if strangers:
            beliefs.claims_bps = {**beliefs.claims_bps, **claims_of(connection, sorted(strangers))}
        return fresh


def settle_start(databases: Databases, spec: LaneSpec) -> list[Put]:
    """Put off in the ledger what came while no daemon ran and is late by the log (blocking); return it."""
    with databases.connect("sig", autocommit=True) as connection:
        return settle_late(connection, spec.branch, spec.manifest.kernel.window_ms)


@dataclass(frozen=True, slots=True)
class Poll:
    """Versions that the beliefs do not know, as they take effect; and which of them were postponed, with before.

    `at_once`: vetoes that hold from the next window on; None: a replay, which obeys its tape alone.
    """

    fresh: list[PriorsVersion]
    late: list[Put]
    at_once: Sequence[CurationAct] | None = None


def settled_versions(databases: Databases, beliefs: LedgerBeliefs, scored_until_ms: int) -> Poll:
    """Return the versions that the beliefs do not know (blocking).

    The ledger postpones a late one to the first window after `scored_until_ms`, the end of the last window scored.
    """
    fresh = fresh_versions(databases, beliefs)
    if all(version.effective_from_ms > scored_until_ms for version in fresh):
        return Poll(fresh, [])
    with databases.connect("sig", autocommit=True) as connection:
        window_ms = beliefs.spec.manifest.kernel.window_ms
        now = [put_off(connection, version, scored_until_ms, window_ms) for version in fresh]
    late = [(was, is_now) for was, is_now in zip(fresh, now, strict=True) if was is not is_now]
    return Poll([version for version in now if not beliefs.has(version.priors_ver)], late)


def fresh_sets(
    databases: Databases, spec: LaneSpec, earlier: Sequence[InForce] = (), held_to: str = ""
) -> list[InForce]:
    """Return what is in force of experts on the branch, programs made ready (blocking).

    Days up to `held_to` have their state already: for them what is `earlier` stays.
    """
    with databases.connect("sig") as connection:
        fresh = read_expert_sets(connection, spec.branch, after=held_to)
    sets = [*(x for x in earlier if x.from_day <= held_to), *fresh]
    for one in fresh:
        compile_experts(set_of_day(one.from_day, sets), spec.manifest.kernel.cadence_ms)
    return sets


def fresh_detectors(
    databases: Databases, spec: LaneSpec, earlier: Sequence[DetectorSet] = (), held_to: str = ""
) -> list[DetectorSet]:
    """Return the sets of settled detectors of the branch, their programs made ready (blocking).

    Days up to `held_to` have their state already: for them what is `earlier` stays.
    """
    with databases.connect("sig") as connection:
        found = read_detector_sets(connection, spec.branch)
    sets = [*(x for x in earlier if x.from_day <= held_to), *(x for x in found if x.from_day > held_to)]
    for one in sets:
        compile_detectors(with_settled(spec.detectors, settled_on(one.from_day, sets, spec.manifest)), spec.manifest)
    return sets


def fresh_acts(databases: Databases, spec: LaneSpec, held_to: str = "") -> dict[str, CurationAct]:
    """Return the acts of governance in force on some day after `held_to`, by name (blocking)."""
    with databases.connect("sig") as connection:
        return {act.act_id: act for act in acts_ending_after(connection, spec.branch, held_to)}


def fresh_vetoes(databases: Databases, spec: LaneSpec, day: str) -> list[CurationAct]:
    """Return the vetoes at once that tables of days after `day` carry and nobody lifted (blocking)."""
    with databases.connect("sig") as connection:
        return vetoes_at_once(connection, spec.branch, day)


def read_tables(lake: Lake, beliefs: LedgerBeliefs) -> dict[str, KnownTables]:
    """Return every day's tables of the branch that serve its universe and detectors, those that are there kept.

    The newest known day is read again as long as its cards are not there.
    """
    spec, by_day = beliefs.spec, dict(beliefs.by_day)
    names = tuple(a.name for a in spec.universe)
    newest = max(by_day, default="")
    settled = {day for day, tables in by_day.items() if day != newest or tables.is_final}
    for tables in read_day_tables(lake, spec.branch, skip=settled):
        detectors = with_settled(spec.detectors, beliefs.settled(tables.day))
        if (tables.assets, tables.detector_ids) == (names, tuple(d.detector_id for d in detectors)):
            is_final = has_cards(lake, spec.branch, tables.day)
            after = tables_after(lake, spec.branch, tables, detectors)
            by_day[tables.day] = KnownTables(tables, after, is_final)
    return by_day
