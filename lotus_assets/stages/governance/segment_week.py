"""The list of segments that the windows up to a Monday give; nothing where segments are no context.

It holds from two days after the Monday on. What it is made of is `lotus.coprocessor.segments`.
"""

from collections.abc import Mapping

from lotus.detectors.daily.segment_list import STORED_COLUMNS
from lotus.detectors.daily.segment_set import SegmentSet
from lotus.hashing import natural_id
from lotus.priors.segment_context import has_segments
from lotus.timebase import next_day
from lotus_assets.stages.context import Cell, StageContext, TextTable
from lotus_assets.stages.governance.week_part import PartMade, WeekPart
from lotus_assets.stages.history import commits_before, hashes
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.segments import put_segments, segments_on
from lotus_store.ledger.day_commits import DayCommit

NAME = "segments"
LAG_DAYS = 2
SPAN_DAYS = 20
_READ = ("asset", "window_end_ms", *STORED_COLUMNS)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Events of the days that are looked at, and the list that was in force until now."""
    if not has_segments(ctx.manifest):
        return {}
    before = segments_on(ctx.sig, ctx.branch, next_day(day, LAG_DAYS - 1))
    return {**hashes(_days(ctx, day)), "in force": before.set_ver if before else ""}


def make(ctx: StageContext, day: str, before: Mapping[str, PartMade]) -> PartMade:
    """Make the list of a Monday; the one that holds from the same day already stays."""
    if not has_segments(ctx.manifest):
        return PartMade(0, "")
    from_day = next_day(day, LAG_DAYS)
    held = segments_on(ctx.sig, ctx.branch, from_day)
    found = held if held is not None and held.from_day == from_day else _made(ctx, day, from_day)
    if found is None:
        return PartMade(0, natural_id(NAME, "none"), notes={"origin": "none: too few windows"})
    made = found

    def ledger(connection: Connection) -> None:
        put_segments(connection, ctx.branch, made)

    notes: dict[str, Cell] = {
        "set_ver": made.set_ver, "from_day": made.from_day, "origin": made.origin, "states": made.states,
        "agreement": made.agreement,
    }  # fmt: skip
    return PartMade(1, natural_id(NAME, made.set_ver, made.from_day), (), (), notes, _table(made), ledger)


def _days(ctx: StageContext, day: str) -> list[DayCommit]:
    return commits_before(ctx, "signal_events", next_day(day), SPAN_DAYS)


def _made(ctx: StageContext, day: str, from_day: str) -> SegmentSet | None:
    from lotus.coprocessor.segments.weekly import weekly_segments

    days = [ctx.lake.read("signal_events", ctx.branch, commit.day, columns=_READ) for commit in _days(ctx, day)]
    return weekly_segments(days, [a.name for a in ctx.manifest.universe], day, from_day)


def _table(made: SegmentSet) -> TextTable:
    rows = [
        (name, k, text, made.shares[k]) for name, own in zip(made.assets, made.texts, strict=True)
        for k, text in enumerate(own)
    ]  # fmt: skip
    return TextTable(("coin", "segment", "flag", "share, all coins"), rows)


PART = WeekPart(NAME, inputs, make)
