"""The life of a detector version: experimental, active, deprecated, archived, decided from numbers alone.

A day makes one change at most, each with the number that decided; a life is its list of changes and is only ever
appended to. No version comes back: what recovers is another version. Pure and deterministic; nothing is stored here.
(Literature: model registry stages, champion and challenger.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from lotus.detectors.daily.quality import MIN_DAYS
from lotus.errors import LookAheadError, SchemaError


class LifecycleStage(StrEnum):
    """Where a version stands."""

    EXPERIMENTAL = "experimental"
    ACTIVE = "active"
    DEPRECATED = "deprecated"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Rules:
    """Thresholds of the transitions; `published` counts 20 days, `sq` is sq_score, patience counts learning days."""

    min_days: int = MIN_DAYS
    min_published: int = 100  # a fifth of full support
    dry_published: int = 20
    sq_promote: float = 0.30
    sq_retire: float = 0.20  # a coin that pays its cost has at most .35 * .5 + .20 - .20 = .175
    patience_days: int = 10
    archive_days: int = 30


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What a day shows of one shipped version; `sq` newest last, None where sq_score stood at its neutral 0.5."""

    detector_id: str
    version: int
    matured_days: int
    published: int
    sq: tuple[float | None, ...]
    failed_audits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StageTransition:
    """One transition: `old` is empty at birth."""

    day: str
    old: str
    new: str
    reason: str


@dataclass(frozen=True, slots=True)
class Life:
    """All changes of one version, oldest first, at least one."""

    detector_id: str
    version: int
    changes: tuple[StageTransition, ...]

    @property
    def stage(self) -> LifecycleStage:
        """The present stage."""
        return LifecycleStage(self.changes[-1].new)

    @property
    def born(self) -> str:
        """Day on which it was first seen."""
        return self.changes[0].day

    @property
    def since(self) -> str:
        """Day of the last change."""
        return self.changes[-1].day


def after_day(day: str, lives: Sequence[Life], facts: Sequence[VersionFacts], rules: Rules | None = None) -> list[Life]:
    """Return the lives after `day`, ordered by detector and version: those before it, and what the facts change.

    A version without facts is no longer shipped. Raises `LookAheadError` when a life already knows `day` or a later
    one, `SchemaError` when two facts speak of one version.
    """
    rules = rules or Rules()
    facts_by_version = {(f.detector_id, f.version): f for f in facts}
    if len(facts_by_version) != len(facts):
        raise SchemaError("two facts of one detector version", "one each")
    late = [life for life in lives if life.since >= day]
    if late:
        raise LookAheadError(f"{late[0].detector_id} changed on {late[0].since}", f"a day before {day}")
    previous = {(x.detector_id, x.version): x for x in lives}
    active = [key for key, life in previous.items() if life.stage is LifecycleStage.ACTIVE]
    after = []
    for name, version in sorted(previous.keys() | facts_by_version.keys()):
        life, fact = previous.get((name, version)), facts_by_version.get((name, version))
        newer = max((v for other, v in active if other == name and v > version), default=0)
        before = life.changes if life else ()
        after.append(Life(name, version, (*before, *_change(day, life, fact, newer, rules))))
    return after


def _change(
    day: str, life: Life | None, facts: VersionFacts | None, newer: int, rules: Rules
) -> tuple[StageTransition, ...]:
    if life is None:
        return (StageTransition(day, "", LifecycleStage.EXPERIMENTAL, "first seen"),)
    old = life.stage
    if old is LifecycleStage.ARCHIVED:
        return ()
    if old is LifecycleStage.DEPRECATED:
        age = (date.fromisoformat(day) - date.fromisoformat(life.since)).days
        return (
            (StageTransition(day, old, LifecycleStage.ARCHIVED, f"deprecated for {age} days"),)
            if age >= rules.archive_days
            else ()
        )
    reason = "no longer shipped" if facts is None else _retired(old, facts, newer, rules)
    if reason:
        return (StageTransition(day, old, LifecycleStage.DEPRECATED, reason),)
    reason = _promoted(facts, rules) if facts is not None and old is LifecycleStage.EXPERIMENTAL else ""
    return (StageTransition(day, old, LifecycleStage.ACTIVE, reason),) if reason else ()


def _retired(stage: LifecycleStage, facts: VersionFacts, newer: int, rules: Rules) -> str:
    """Return why a version is retired, "" when it is not."""
    if facts.failed_audits:
        return f"failed audit {facts.failed_audits[0]}"
    if newer:
        return f"version {newer} is active"
    poor = [q for q in facts.sq[-rules.patience_days :] if q is not None and q < rules.sq_retire]
    if len(poor) == rules.patience_days:
        return f"sq_score below {rules.sq_retire:g} on {len(poor)} days in a row, last {poor[-1]:.3f}"
    if stage is LifecycleStage.ACTIVE and facts.published < rules.dry_published:
        return f"only {facts.published} publications in 20 days"
    return ""


def _promoted(facts: VersionFacts, rules: Rules) -> str:
    last = facts.sq[-1] if facts.sq else None
    ready = facts.matured_days >= rules.min_days and facts.published >= rules.min_published
    if not ready or last is None or last < rules.sq_promote:
        return ""
    return f"sq_score {last:.3f}, {facts.published} publications, {facts.matured_days} matured days"
