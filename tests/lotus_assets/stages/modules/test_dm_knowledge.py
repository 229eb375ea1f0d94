"""What the decision-maker learns by night: from the past alone, the same again, killed anywhere, by branch."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lotus.decision.knowledge.reliability import CurveBin, ForecastQuality
from lotus.timebase import next_day
from lotus_assets.stages import runner
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules import dm_evidence, dm_knowledge
from lotus_assets.stages.modules.dm_knowledge import kept_check
from lotus_assets.stages.runner import run_stage
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import read_commit
from lotus_store.ledger.trading.knowledge import content_of_night, quality_of_night

from ..known_days import a_day, known, night

DAYS = [next_day("2026-01-05", k) for k in range(4)]


def content(dm: Connection, branch: str, day: str) -> str:
    """The hash of what is known after a day."""
    found = known(dm, branch, day)
    return content_of_night(found, quality_of_night(dm, branch, day))


@pytest.fixture
def dm(ctx: StageContext) -> Iterator[Connection]:
    """The dm database, as its module."""
    with ctx.databases.connect("dm", autocommit=True) as connection:
        yield connection


@pytest.fixture
def days_written(ctx: StageContext) -> list[str]:
    """The days of the synthetic past."""
    for k, day in enumerate(DAYS):
        a_day(ctx, day, k)
    return DAYS


def rows(dm: Connection) -> list[tuple[object, ...]]:
    return dm.execute("SELECT xmin::text, * FROM dm_knowledge ORDER BY branch, day, kind, name").fetchall()


def test_later_days_change_nothing_that_is_known(ctx: StageContext, dm: Connection, days_written: list[str]) -> None:
    for day in days_written:
        night(ctx, day)
    before = {day: content(dm, ctx.branch, day) for day in days_written}
    for day in days_written[2:]:
        a_day(ctx, day, 99)
    for day in days_written:
        night(replace(ctx, force=True), day)
    after = {day: content(dm, ctx.branch, day) for day in days_written}
    assert [after[day] == before[day] for day in days_written] == [True, True, False, False]


def test_twice_forced_and_after_a_loss_the_rows_are_the_same(
    ctx: StageContext, dm: Connection, days_written: list[str]
) -> None:
    for day in days_written:
        night(ctx, day)
    kept = rows(dm)
    for again in (ctx, replace(ctx, force=True)):
        for day in days_written:
            night(again, day)
        assert rows(dm) == kept  # not one was written again
    with ctx.databases.owner("dm") as owner:
        owner.execute("DELETE FROM dm_knowledge WHERE day = %s AND name = 'cells'", [DAYS[1]])
    night(ctx, DAYS[1])
    assert [row[1:] for row in rows(dm)] == [row[1:] for row in kept]


@pytest.mark.parametrize("where", ["before the rows", "before the commit"])
def test_a_night_that_is_killed_is_made_again_with_the_same_rows(
    ctx: StageContext, dm: Connection, days_written: list[str], monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    night(ctx, DAYS[0])

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        run_stage(ctx, dm_evidence.STAGE, DAYS[1])
        patched.setattr(
            *((dm_knowledge, "put_knowledge") if where == "before the rows" else (runner, "commit_day")), killed
        )
        with pytest.raises(KeyboardInterrupt):
            run_stage(ctx, dm_knowledge.STAGE, DAYS[1])
    assert read_commit(ctx.sig, ctx.branch, DAYS[1], "dm_knowledge") is None
    left = {str(row[2]) for row in rows(dm)}
    assert left == ({DAYS[0]} if where == "before the rows" else set(DAYS[:2]))
    night(ctx, DAYS[1])
    kept = rows(dm)
    night(replace(ctx, force=True), DAYS[1])
    assert rows(dm) == kept


def test_promises_that_do_not_come_are_told() -> None:
    def group(promised: float, low: float, high: float) -> CurveBin:
        return CurveBin(100, 100.0, promised, (low + high) / 2, low, high, 1.0, 0.0)

    good, bad = group(0.6, 0.5, 0.7), group(0.7, 0.4, 0.6)
    scores = (300, 0.25, 0.24, 0.69, 0.68, 0.1)
    assert kept_check(None).passed
    assert kept_check(ForecastQuality(*scores, (good, good, bad))).passed
    told = kept_check(ForecastQuality(*scores, (good, bad, bad)))
    assert not told.passed
    assert not told.blocking
    assert (told.numbers["groups_inside"], told.numbers["groups_below"]) == (1, 2)
