"""What the decision-maker learns by night: from the past alone, the same again, killed anywhere, by branch."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from lotus.columns import TableSpec
from lotus.decision.alphas import AlphaInput
from lotus.decision.evidence import EVENT_COLUMNS, evaluated_columns
from lotus.decision.policy import shipped_policy
from lotus.decision.reliability import CurveBin, ForecastQuality
from lotus.detectors.signal_spec import SIGNAL_EVENTS
from lotus.microtape.frame_spec import FLOAT_COLUMNS, INT_COLUMNS
from lotus.outcomes.signal_eval import signal_eval_spec
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages import dm_evidence, dm_knowledge, runner
from lotus_assets.stages.context import StageContext, StageResult
from lotus_assets.stages.dm_knowledge import kept_check
from lotus_assets.stages.runner import run_stage
from lotus_store.databases import Connection
from lotus_store.ledger.bodies import to_body
from lotus_store.ledger.day_commits import DayCommit, commit_day, read_commit
from lotus_store.ledger.knowledge import Knowledge, content_of_night, knowledge_before, quality_of_night

DAYS = [next_day("2026-01-05", k) for k in range(4)]
HORIZONS = (30, 300)
EDGES = {"winner": 6.0, "loser": -6.0}  # bps at a score of one
EVENTS = TableSpec("signal_events", SIGNAL_EVENTS.key, tuple(SIGNAL_EVENTS.column(name) for name in EVENT_COLUMNS))
EVALUATED = TableSpec(
    "signal_eval", (), tuple(signal_eval_spec(HORIZONS).column(name) for name in evaluated_columns(HORIZONS))
)
FRAME = {c.name: c.column() for c in (*INT_COLUMNS, *FLOAT_COLUMNS)}
FRAMES = TableSpec("microtape_frames", ("end_ms",), (FRAME["end_ms"], FRAME["mid"]))


def a_day(ctx: StageContext, day: str, seed: int) -> None:
    """Write and commit a day of windows of two detectors, what became of them, and the frames of three coins."""
    rng, n, start = np.random.default_rng(seed), 240, day_start_ms(day)
    side, score = rng.choice([-1.0, 1.0], n), rng.uniform(0.1, 0.9, n)
    detector = np.array(list(EDGES), dtype=object)[np.arange(n) % 2]
    moved = side * (np.array([EDGES[name] for name in detector]) * score + rng.normal(size=n))
    asset = np.array(["BTC", "ETH"], dtype=object)[np.arange(n) // 2 % 2]
    ends = start + 300_000 * (1 + np.arange(n) // 2)
    tables = {
        EVENTS: {
            "detector_id": detector, "asset": asset, "window_end_ms": ends, "s": side * score,
            "spec_version": np.ones(n, np.int32), "horizon_s": np.full(n, 300, np.int32),
            "ln_sigma_tilde": np.zeros(n), "eligible": np.ones(n, np.bool_),
            "b_vol": (np.arange(n) // 4 % 5).astype(np.uint8),
        },
        EVALUATED: {
            "detector_id": detector, "asset": asset, "window_end_ms": ends,
            "status": np.array(["ok"] * n, dtype=object), "horizon_s": np.full(n, 300, np.int32),
            "fwd_ret_bps_30": moved / 5.0, "fwd_ret_bps_300": moved,
        },
    }  # fmt: skip
    for spec, columns in tables.items():
        written = ctx.lake.write(spec, ctx.branch, day, columns)
        commit_day(ctx.sig, DayCommit(ctx.branch, day, spec.name, written.content_hash, written.rows, ""))
    parts = []
    for coin in ("BTC", "ETH", "SOL"):
        ends = start + 10_000 * np.arange(1, 361, dtype=np.int64)
        mid = 1e5 * np.exp(np.cumsum(rng.normal(size=len(ends)) * 1e-4))
        parts.append(ctx.lake.write(FRAMES, ctx.tape_branch, day, {"end_ms": ends, "mid": mid}, coin).content_hash)
    commit_day(ctx.sig, DayCommit(ctx.tape_branch, day, FRAMES.name, "".join(parts), 0, ""))


def night(ctx: StageContext, day: str) -> StageResult:
    """Run both stages of a day."""
    for stage in (dm_evidence.STAGE, dm_knowledge.STAGE):
        result = run_stage(ctx, stage, day)
        assert not result.failed_checks, result.failed_checks
    return result


def content(dm: Connection, branch: str, day: str) -> str:
    """The hash of what is known after a day."""
    found = known(dm, branch, day)
    return content_of_night(found, quality_of_night(dm, branch, day))


def known(dm: Connection, branch: str, day: str) -> Knowledge:
    """What is known after a day."""
    found = knowledge_before(dm, branch, next_day(day))
    assert found is not None
    assert found.day == day
    return found


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
