"""The night after a traded day: what a venue told replaces the run against the tape, through to lessons and priors."""

from typing import Any

import dagster as dg
import numpy as np
import pytest
from dagster._core.storage.tags import SENSOR_NAME_TAG

from lotus.outcomes.signal_eval import OK
from lotus_assets.pages.traded_day import TradedDay
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import instance, provision
from lotus_sensors.late_executions import NAME
from lotus_store.ledger.day_commits import read_commit
from lotus_store.ledger.signals.executions import Execution, late_executions, put_execution

NEEDED = {
    "raw_tape", "microtape_frames", "dsi_annotations", "expert_set", "signal_events", "signal_eval", "payoff_scores",
    "lesson_atoms", "lessons", "dr_crosscheck", "braids", "meta_braids", "active_priors",
}  # fmt: skip
PAID_BPS = 7.5


@dg.job
def night() -> None:
    """Stand for the run that the sensor asks for."""


def learn(ctx: StageContext, days: list[str]) -> None:
    for day in days:
        for stage in (s for s in (*TAPE_STAGES, *LEARNING_STAGES) if s.name in NEEDED):
            assert not run_stage(ctx, stage, day).failed_checks


def notes(ctx: StageContext, day: str, stage: str) -> dict[str, Any]:
    commit = read_commit(ctx.sig, ctx.branch, day, stage)
    assert commit is not None
    return dict(commit.notes["notes"])


def published(ctx: StageContext, day: str) -> list[tuple[str, str, str, int]]:
    """Return identity, detector, asset and end of the published whole windows that matured on a day."""
    rows = ctx.lake.read("signal_eval", ctx.branch, day)
    mine = (rows["status"] == OK) & (rows["fill_source"] != "")
    names = ("event_id", "detector_id", "asset", "window_end_ms")
    return list(zip(*(rows[name][mine].tolist() for name in names), strict=True))


def late(ctx: StageContext) -> list[tuple[str, int]]:
    longest_s = max(ctx.manifest.outcomes.horizons_s)
    return [(found.day, found.told) for found in late_executions(ctx.sig, ctx.branch, longest_s)]


@pytest.mark.process("three days, one learned again through Dagster")
@pytest.mark.warm("first_day")
def test_a_traded_day_is_learned_again_from_what_the_venue_told(
    ctx: StageContext, lotus: Lotus, days: list[str]
) -> None:
    days, said = days[:2], list[str]()
    learn(ctx, days)
    assert late(ctx) == []
    before = {stage: notes(ctx, days[1], stage) for stage in ("lessons", "active_priors")}
    assert before["lessons"]["executed_venue"] == 0
    everything = published(ctx, days[0])
    detectors = sorted({detector for _, detector, _, _ in everything})
    windows = [window for window in everything if window[1] != detectors[0]]
    prevented = [window for window in everything if window[1] == detectors[0]]
    assert len(windows) > 20
    assert len(prevented) > 2
    for event_id, detector, asset, end_ms in prevented:
        body = {"report": {}, "refusals": ["stale_data: found a; expected b"], "plan_id": "p"}
        void = Execution(event_id, detector, asset, end_ms, "local", "refused", 0.0, body, "stale_data")
        put_execution(ctx.sig, ctx.branch, void, "m")
    for event_id, detector, asset, end_ms in windows:
        body = {"report": {}, "refusals": [], "plan_id": "p"}
        outcome, paid = ("closed", PAID_BPS) if end_ms % 2_000 else ("unfilled", 0.0)
        row = Execution(event_id, detector, asset, end_ms, "local", outcome, paid, body)
        put_execution(ctx.sig, ctx.branch, row, "m")
    assert late(ctx) == [(days[0], len(everything))]
    environment = provision(ctx.settings, lotus.databases)
    status: dict[str, Any] = {"running": True}
    watched = TradedDay(ctx.settings, lotus.databases, environment, days[0], lambda: status, said.append)
    watched.look()
    assert said == [], "it still trades"
    status |= {"running": False, "daemon": {"state": "stopped"}}
    watched.look()
    assert said == [said[0], "the nightly run after it begins by itself"]
    assert f"{len(everything)} published windows answered for" in said[0]
    assert f"{len(prevented)} void: stale_data" in said[0]
    learn(ctx, days)
    assert late(ctx) == []
    rows = ctx.lake.read("payoff_scores", ctx.branch, days[0])
    assert (rows["fill_source"] == "venue").sum() == len(windows)
    assert set(np.unique(rows["payoff_y"][rows["fill_source"] == "venue"]).tolist()) <= {PAID_BPS, 0.0}
    taped = rows["fill_source"] == "tape_sim"
    assert set(rows["event_id"][taped].tolist()) == {window[0] for window in prevented}, "void teaches no zeros"
    assert notes(ctx, days[0], "signal_eval")["void_stale_data"] == len(prevented)
    told = notes(ctx, days[0], "lessons")
    assert (told["executed_venue"], told["executed_tape_sim"]) == (len(windows), len(prevented))
    after = notes(ctx, days[1], "lessons")
    assert after["executed_venue"] == len(windows)
    assert after["executed_tape_sim"] == before["lessons"]["executed_tape_sim"] - len(windows)
    watched.look()
    assert len(said) == 2, "its run is not over yet"
    with instance(environment) as opened:
        opened.create_run_for_job(night, tags={SENSOR_NAME_TAG: NAME}, status=dg.DagsterRunStatus.SUCCESS)
    watched.look()
    watched.look()
    assert len(said) == 3
    assert f"learned from {days[0]}: {len(windows)} whole windows executed at the venue" in said[2]
    assert (
        f"behind its lessons stand {len(windows)} windows executed at a venue and {len(prevented)} against" in said[2]
    )


@pytest.mark.process("whole days through their stages")
@pytest.mark.warm("taped")
def test_a_day_without_executions_or_outcomes_says_so(ctx: StageContext, lotus: Lotus, days: list[str]) -> None:
    said: list[str] = []
    broken = {"running": False, "log": "daemon.log", "daemon": {"state": "running"}}
    watched = TradedDay(ctx.settings, lotus.databases, {}, days[0], lambda: broken, said.append)
    watched.look()
    watched.look()
    assert said == [
        "the daemon broke off; its log is daemon.log",
        f"{days[0]} was traded until then: 0 published windows answered for (none)",
        f"{days[0]} was never materialised on {ctx.branch}: `lotus backfill` of it learns from what was told",
    ]
