"""The list of a Monday: nothing while segments are no context, else made once, in force two days later."""

from dataclasses import replace

import pytest

from lotus.coprocessor.segments import weekly
from lotus.detectors.daily.segment_set import SegmentSet
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance import governance_week, segment_week
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring.signal_events import segments_of_day, tables_made
from lotus_store.ledger.beliefs.segments import segment_sets

pytestmark = [pytest.mark.warm("first_day"), pytest.mark.process("whole days through their stages")]
MONDAY, FROM = "2026-01-12", "2026-01-14"


def on(ctx: StageContext) -> StageContext:
    """The context with segments as context."""
    learning = replace(ctx.manifest.learning, segment_context=True)
    return replace(ctx, manifest=replace(ctx.manifest, learning=learning))


def made(ctx: StageContext) -> SegmentSet:
    (one,) = segment_sets(ctx.sig, ctx.branch)
    return one


def test_off_it_leaves_the_week_and_the_day_as_they_were(ctx: StageContext, days: list[str]) -> None:
    without = [part for part in governance_week.PARTS if part.name != segment_week.NAME]
    assert segment_week.inputs(ctx, MONDAY) == {}
    assert governance_week.inputs(ctx, MONDAY) == {
        f"{part.name} {k}": v for part in without for k, v in part.inputs(ctx, MONDAY).items()
    }
    part = segment_week.make(ctx, MONDAY, {})
    assert (part.rows, part.decided, part.ledger) == (0, "", None)
    assert segments_of_day(ctx, days[1]) is None


def test_on_a_list_is_made_once_and_stays_when_the_monday_is_made_again(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weekly, "LEAST_ROWS", 10)
    home = on(ctx)
    result = run_stage(home, governance_week.STAGE, MONDAY)
    one = made(home)
    assert (one.from_day, one.judged_day, one.assets) == (FROM, MONDAY, ("BTC", "ETH", "SOL"))
    assert all(one.texts)
    assert segments_of_day(home, MONDAY) is None  # not before its day
    assert segments_of_day(home, FROM) == segments_of_day(home, "2026-03-01") == one
    again = run_stage(replace(home, force=True), governance_week.STAGE, MONDAY)
    assert (again.content_hash, made(home)) == (result.content_hash, one)


def test_tables_of_days_from_then_on_hold_the_list(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weekly, "LEAST_ROWS", 10)
    monkeypatch.setattr(segment_week, "LAG_DAYS", 1)
    home = on(ctx)
    part = segment_week.make(home, days[0], {})
    assert part.ledger is not None
    part.ledger(home.sig)
    tables, _ = tables_made(home, days[1])
    assert tables.segments == made(home).texts
    plain, _ = tables_made(ctx, days[1])
    assert plain.segments == ()
    assert plain.tables_ver != tables.tables_ver


def test_too_few_windows_make_no_list(ctx: StageContext) -> None:
    part = segment_week.make(on(ctx), MONDAY, {})
    assert part.ledger is None
    assert part.notes["origin"] == "none: too few windows"
