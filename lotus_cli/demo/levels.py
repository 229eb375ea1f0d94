"""What the lessons of a demo earned: the level of each, since when and by what evidence, and the levels day by day.

A level that a nightly run gives acts from the next day on; days are counted from 1, the first of the world.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lotus.priors.trace import describe_braid
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.priors import in_force_on
from lotus_store.ledger.beliefs.trust import read_trust

if TYPE_CHECKING:
    from lotus_cli.demo.command import DemoPlan


def earned_by_lesson(sig: Connection, plan: "DemoPlan") -> dict[str, dict[str, Any]]:
    """Return of every lesson in force on the last day its level, the day since when (None: it never changed) and E."""
    branch, night = plan.settings.branch, plan.look_day
    rows = read_trust(sig, branch, night)
    return {
        braid.lesson_id: {
            "level": braid.level,
            "since_day": _since(plan, braid.trust.changed_on if braid.trust else ""),
            "e": rows[braid.braid_id].e,
        }
        for braid in read_registry(sig, branch, night)
        if braid.in_force and braid.braid_id in rows
    }


def experiments_of(sig: Connection, plan: "DemoPlan") -> list[dict[str, str]]:
    """Return the experiments on proposals that were in force on the last day: detector and rule."""
    return [
        {"detector_id": braid.detector_id, "rule": describe_braid(braid.active())}
        for braid in read_registry(sig, plan.settings.branch, plan.look_day)
        if braid.in_force and braid.experiment is not None
    ]


def levels_by_day(sig: Connection, plan: "DemoPlan", days: Sequence[str]) -> list[dict[str, Any]]:
    """Return for every lesson in force on some of `days` its level on each of them, None where it was not."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for day in days:
        for braid in in_force_on(sig, plan.settings.branch, day)[-1].braids:
            if braid.braid_type == "micro":
                found.setdefault((braid.detector_id, describe_braid(braid)), {})[day] = braid.level
    return [
        {"detector_id": name, "rule": rule, "levels": [levels.get(day) for day in days]}
        for (name, rule), levels in sorted(found.items())
    ]


def level_words(earned: Mapping[str, Any] | None) -> str:
    """Return a lesson's level as the end of a sentence, nothing for one that has none.

    >>> level_words({"level": 2, "since_day": 21, "e": 512.3})
    ', level 2 since day 21, E 512'
    >>> level_words({"level": 0, "since_day": None, "e": 1.0}), level_words(None)
    (', level 0, E 1', '')
    """
    if earned is None:
        return ""
    since = f" since day {earned['since_day']}" if earned["since_day"] else ""
    return f", level {earned['level']}{since}, E {earned['e']:.3g}"


def _since(plan: "DemoPlan", changed_on: str) -> int | None:
    return plan.days.index(changed_on) + 2 if changed_on else None
