"""A winner is believed, a loser is silent, and a branch knows its own past only."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lotus.decision.alphas import AlphaInput
from lotus.decision.policy.policy import shipped_policy
from lotus.timebase import next_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules import dm_evidence
from lotus_assets.stages.runner import run_stage
from lotus_store.databases import Connection
from lotus_store.ledger.bodies import to_body

from ..known_days import a_day, known, night

DAYS = [next_day("2026-01-05", k) for k in range(4)]


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


def test_a_winner_is_believed_a_loser_is_silent_and_both_are_told(
    ctx: StageContext, dm: Connection, days_written: list[str]
) -> None:
    results = [night(ctx, day) for day in days_written]
    found = known(dm, ctx.branch, DAYS[-1])
    rule = shipped_policy()

    def promised(source: str, regime: str = "all") -> float:
        view = AlphaInput(source, "BTC", 300, 1, 0.8, "e", "t", 0, 300_000, regime)
        alpha = found.calibration.alpha(view, 1.0, 0)
        assert alpha is not None
        return alpha.mu_bps

    assert promised("det:winner@1") == pytest.approx(
        0.8 * 6.0 * (480 / 680) ** 2, rel=0.1
    )  # pooled with the loser, then shrunk
    assert promised("det:loser@1") == 0.0
    assert promised("det:winner@1", "wild") != promised("det:winner@1", "calm")
    assert found.memory.reliability("det:winner@1", 300, rule) > rule.reliability.detector_start
    assert found.covariance.coins == ("BTC", "ETH", "SOL")
    assert found.covariance.rows == 4 * 59
    assert set(found.correlations) == {("det:loser@1", "det:winner@1")}
    table = results[-1].table
    assert table is not None
    assert [row[0] for row in table.rows] == ["det:loser@1", "det:winner@1"]
    assert results[-1].notes["brier"] != results[-1].notes["brier_base"]
    assert "data:image/png" in results[-1].documents["reliability_curve"]
    assert results[0].documents == {}
    told = [run_stage(ctx, dm_evidence.STAGE, day).notes for day in days_written]
    assert [(note["outcomes"], note["promised"]) for note in told] == [(240, 0), (240, 240), (240, 240), (240, 240)]


def test_a_branch_knows_its_own_past_only(ctx: StageContext, dm: Connection, days_written: list[str]) -> None:
    night(ctx, DAYS[0])
    other = replace(ctx, settings=replace(ctx.settings, branch="other"))
    for k, day in enumerate(DAYS[:2]):
        a_day(other, day, k)
    night(other, DAYS[1])
    assert known(dm, "other", DAYS[1]).calibration != known(dm, ctx.branch, DAYS[0]).calibration
    assert run_stage(other, dm_evidence.STAGE, DAYS[1]).notes["promised"] == 0  # nothing was known there before
    night(ctx, DAYS[1])
    assert to_body(known(dm, ctx.branch, DAYS[1]).memory) != to_body(known(dm, "other", DAYS[1]).memory)
