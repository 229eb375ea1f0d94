"""Triggers of plans on the daemon's frames: a watch begun late, or again, says what a batch over the frames says."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market
from trigger_frames import SPEC, frames_of, plan_of

from lotus.microtape.frames.spec import I_END
from lotus.trading.execution.events import Event, TriggerStatus, TriggerTold
from lotus.trading.plan.plan import Plan
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import warm_up_ms
from lotus.triggers.events import EvaluationStatus
from lotus.triggers.watcher import Watcher, WatchPlan
from lotus_desk.market.triggers import PlanTriggerEvent, TriggerDesk
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.lines import Pipeline
from lotus_store.ledger.trading.plans import PlanRow

TEXTS = (
    "breakout(lookback=3, bar=10s)",
    "breakout(lookback=5, bar=5s, band=1sigma, side=down) AND retest(level=prev_low, tol=1bps) WITHIN 2m",
    "cross(level=vwap, side=up, lookback=4, bar=10s) IF spread_bps < 5",
)


@dataclass
class Kept:
    """Books in memory that may be down; what was told to plans beside them."""

    said: list[PlanTriggerEvent] = field(default_factory=list)
    told: list[tuple[str, Event]] = field(default_factory=list)
    is_down: bool = False

    async def write(self, said: Sequence[PlanTriggerEvent]) -> bool:
        self.said += () if self.is_down else said
        return not self.is_down

    def tell(self, plan_id: str, event: Event) -> None:
        self.told.append((plan_id, event))


def desk_over(kept: Kept) -> TriggerDesk:
    return TriggerDesk(UNIVERSE, MANIFEST.kernel.cadence_ms, kept.write, kept.tell)


@pytest.fixture(scope="module")
def lines() -> list[tuple[int, bytes]]:
    """Five minutes of three assets."""
    return in_order(market("2026-03-04", "09:00", 300, step_ms=250, seed=3))


def replayed(lines: list[tuple[int, bytes]], late: int, again: int | None) -> tuple[Kept, list[Any]]:
    """Replay through a pipeline: plans are accepted on the way and adopted `late` lines after; maybe begin `again`."""
    kept = Kept()
    plans = [plan_of(text, coin, 0) for text in TEXTS for coin in range(3)]
    accepted: list[tuple[PlanRow, Plan]] = []
    desk, pipeline = desk_over(kept), Pipeline(SPEC, neutral_beliefs(SPEC))
    pipeline.tap(desk.frame)
    at = len(lines) // 3
    for number, (recv_ns, raw) in enumerate(lines):
        if number == at:
            accepted = [plan_of(plan.trigger, UNIVERSE.index(_asset(plan)), recv_ns // 10**6) for _, plan in plans]
        if number == at + late:
            for row, plan in accepted:
                desk.watch(row, plan)
        pipeline.feed(recv_ns, number, raw)
        if number == again:
            desk, pipeline = desk_over(kept), Pipeline(SPEC, neutral_beliefs(SPEC))
            pipeline.tap(desk.frame)
            for past, (recv, line) in enumerate(lines[: number + 1]):
                pipeline.feed(recv, past, line)
            kept.said.clear()
            for row, plan in accepted:
                desk.watch(row, plan)
    asyncio.run(desk.flush())
    return kept, accepted


def _asset(plan: Plan) -> Any:
    return next(asset for asset in UNIVERSE if asset.name == plan.coin)


@pytest.mark.parametrize(("late", "again"), [(0, None), (400, None), (0, 4000)], ids=["at once", "late", "again"])
def test_the_desk_says_what_a_batch_over_the_frames_says(
    lines: list[tuple[int, bytes]], late: int, again: int | None
) -> None:
    kept, accepted = replayed(lines, late, again)
    ints, floats = frames_of(lines)
    said: Mapping[str, list[Any]] = {row.plan_id: [] for row, _ in accepted}
    for one in kept.said:
        said[one.row.plan_id].append(one.event)
    for row, plan in accepted:
        index, trigger = UNIVERSE.index(_asset(plan)), read_trigger(plan.trigger)
        watched = WatchPlan(UNIVERSE[index], index, 200, plan.created_ms, plan.valid_until_ms)
        since = ints[:, I_END] > plan.created_ms - warm_up_ms(trigger)
        whole = Watcher(trigger, watched).run(ints[since], floats[since])
        assert repr(tuple(said[row.plan_id])) == repr(whole)
    assert sum(e.status is EvaluationStatus.FIRED for events in said.values() for e in events) > 2
    fired = [name for name, event in kept.told if event == TriggerTold(TriggerStatus.FIRED)]
    assert len(fired) == len(set(fired))


def test_nothing_is_told_to_a_plan_that_was_not_kept(lines: list[tuple[int, bytes]]) -> None:
    ints, floats = frames_of(lines)
    kept = Kept(is_down=True)
    desk = desk_over(kept)
    row, plan = plan_of("touch(level=100000, tol=500bps)", 0, int(ints[0, I_END]) - 1)
    bad, wrong = plan_of("breakout(", 1, 0)
    desk.watch(row, plan)
    desk.watch(bad, wrong)
    assert kept.told == [(bad.plan_id, TriggerTold(TriggerStatus.REJECTED))]
    for one, values in zip(ints, floats, strict=True):
        desk.frame(one, values)
    asyncio.run(desk.flush())
    assert len(kept.told) == 1
    kept.is_down = False
    asyncio.run(desk.flush())
    assert kept.told[1:] == [(row.plan_id, TriggerTold(TriggerStatus.FIRED))]
    assert desk.as_json()["watched"] == 0


def test_only_the_end_of_the_validity_ends_the_plan(
    lines: list[tuple[int, bytes]],
) -> None:
    ints, floats = frames_of(lines)
    kept = Kept()
    desk = desk_over(kept)
    row, plan = plan_of("touch(level=99999999) AND NOT cross(level=1) WITHIN 5s", 0, int(ints[0, I_END]), 60_000)
    desk.watch(row, plan)
    for one, values in zip(ints, floats, strict=True):
        desk.frame(one, values)
    asyncio.run(desk.flush())
    assert kept.told == [(row.plan_id, TriggerTold(TriggerStatus.EXPIRED))]
