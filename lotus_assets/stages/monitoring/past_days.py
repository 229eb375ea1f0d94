"""Sketches and reports of earlier days as the monitors need them; a day that cannot be read is counted, not waited for.

Monitors tell and stop nothing, so a damaged file of an earlier day makes the reference smaller by a day.
"""

from collections.abc import Callable
from typing import TypeVar

from lotus.columns import TableSpec
from lotus.errors import LakeError
from lotus.monitoring.drift_table import DRIFT_REPORT, DriftReport, report_of
from lotus.monitoring.sketch_table import DAY_SKETCHES, Columns, DaySketches, sketches_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import commits_before
from lotus_resources.recent_values import RecentKind

T = TypeVar("T")
_SKETCHES, _REPORTS = RecentKind("sketches", 192), RecentKind("drift reports", 192)


def readable_sketches(ctx: StageContext, day: str, last: int) -> tuple[list[tuple[str, DaySketches]], int]:
    """Return the sketches of the committed days before `day`, oldest first, and how many could not be read."""
    return _readable(ctx, DAY_SKETCHES, day, last, _SKETCHES, sketches_of)


def readable_reports(ctx: StageContext, day: str, last: int) -> tuple[list[tuple[str, DriftReport]], int]:
    """Return the drift reports of the committed days before `day`, oldest first, and how many could not be read."""
    return _readable(ctx, DRIFT_REPORT, day, last, _REPORTS, report_of)


def _readable(
    ctx: StageContext, spec: TableSpec, day: str, last: int, kind: RecentKind, made_of: Callable[[Columns], T]
) -> tuple[list[tuple[str, T]], int]:
    commits = commits_before(ctx, spec.name, day, last)
    out: list[tuple[str, T]] = []
    for commit in commits:

        def read(of_day: str = commit.day) -> T:
            return made_of(ctx.lake.read(spec.name, ctx.branch, of_day, spec=spec))

        try:
            out.append((commit.day, ctx.recent.get(kind, (ctx.branch, commit.day, commit.content_hash), read)))
        except LakeError:
            continue
    return out, len(commits) - len(out)
