"""Triggers of plans watched on the daemon's frames: the same rows as the detectors', in their order, live and replayed.

A watch begins a warm-up before its plan was accepted, on frames that are remembered for a day, so that its bars are
whole when the plan begins; from then on every frame is one step. What it says is written with its message to the
decision-maker, and only then goes to the plan. What a trigger means is `lotus.triggers`. In the literature: complex
event processing, transactional outbox.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError, ExpressionError
from lotus.manifest import Asset
from lotus.microtape.frames.spec import I_ASSET, I_END
from lotus.timebase import DAY_MS
from lotus.trading.execution.events import Event, TriggerStatus, TriggerTold
from lotus.trading.plan.plan import Plan
from lotus.triggers.checker import read_trigger
from lotus.triggers.conditions import warm_up_ms
from lotus.triggers.events import Cause, EvaluationStatus, TriggerEvent
from lotus.triggers.watcher import Watcher, WatchPlan
from lotus_desk.market.frame_memory import FrameMemory
from lotus_store.ledger.trading.plans import PlanRow

MOST_MS: Final = DAY_MS  # the longest reach of the language
FLUSH_S: Final = 0.05
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class PlanTriggerEvent(NamedTuple):
    """An event of a plan's trigger; `from_ms` is the end of the first frame that its watch saw."""

    row: PlanRow
    event: TriggerEvent
    from_ms: int


@dataclass(slots=True)
class Watch:
    """One plan's trigger under watch."""

    row: PlanRow
    watcher: Watcher
    from_ms: int


@dataclass(slots=True)
class TriggerDesk:
    """The watches of one desk. `write` keeps what was said, durably, and returns whether it did; `tell` steers a plan.

    `cadence_ms` is the length of a frame, a file in `folder` holds those of a day. All but `write` happens in the loop.
    """

    universe: Sequence[Asset]
    cadence_ms: int
    write: Callable[[Sequence[PlanTriggerEvent]], Any]
    tell: Callable[[str, Event], None] = field(default=lambda _plan, _event: None)
    watches: dict[str, Watch] = field(default_factory=dict)
    unwritten: list[PlanTriggerEvent] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    folder: Path | None = None
    _memory: FrameMemory = field(init=False)

    def __post_init__(self) -> None:
        """Remember nothing yet."""
        self._memory = FrameMemory(len(self.universe), MOST_MS // self.cadence_ms, self.folder)

    def frame(self, ints: Ints, floats: Floats) -> None:
        """Take a frame of the day as it closed; rows are views that change after the call."""
        asset = int(ints[I_ASSET])
        self._memory.add(asset, ints, floats)
        for watch in [w for w in self.watches.values() if w.watcher.plan.asset_index == asset]:
            self._take(watch, watch.watcher.step(ints, floats))

    def watch(self, row: PlanRow, plan: Plan) -> None:
        """Watch a plan's trigger from its acceptance on; one that cannot be watched is rejected."""
        if row.plan_id in self.watches or row.plan_id in self.refused:
            return
        index = next(k for k, asset in enumerate(self.universe) if asset.name == plan.coin)
        entry_px = None if plan.entry_px is None else float(plan.entry_px)
        asked = WatchPlan(
            self.universe[index], index, self.cadence_ms, plan.created_ms, plan.valid_until_ms, entry_px=entry_px
        )
        try:
            trigger = read_trigger(plan.trigger)
            watcher = Watcher(trigger, asked)
        except (ExpressionError, ConfigError) as problem:
            self.refused[row.plan_id] = str(problem)
            self.tell(row.plan_id, TriggerTold(TriggerStatus.REJECTED))
            return
        watch = Watch(row, watcher, plan.created_ms)
        self.watches[row.plan_id] = watch
        ints, floats = self._memory.since(index, plan.created_ms - warm_up_ms(trigger))
        watch.from_ms = int(ints[0, I_END]) if len(ints) else watch.from_ms
        self._take(watch, watcher.run(ints, floats))

    def close(self) -> None:
        """Remember nothing any more."""
        self._memory.close()

    def forget(self, plan_id: str) -> None:
        """Watch a plan no longer."""
        self.watches.pop(plan_id, None)

    async def run(self) -> None:
        """Keep what is said, then tell it, until cancelled."""
        while True:
            await asyncio.sleep(FLUSH_S)
            await self.flush()

    async def flush(self) -> None:
        """Write the events since the last time; once written they go to their plans, else they wait."""
        events, self.unwritten = self.unwritten, []
        if events and not await self.write(events):
            self.unwritten = [*events, *self.unwritten]
            return
        for row, event, _ in events:
            if event.status is EvaluationStatus.FIRED:
                self.tell(row.plan_id, TriggerTold(TriggerStatus.FIRED))
            elif event.cause is Cause.VALID_UNTIL:
                self.tell(row.plan_id, TriggerTold(TriggerStatus.EXPIRED))

    def as_json(self) -> Mapping[str, Any]:
        """Return what is watched, and which texts could not be."""
        lost = {"frames_lost": self._memory.lost} if self._memory.lost else {}
        return {"watched": len(self.watches), "refused": dict(self.refused), **lost}

    def _take(self, watch: Watch, events: Sequence[TriggerEvent]) -> None:
        self.unwritten += [PlanTriggerEvent(watch.row, event, watch.from_ms) for event in events]
        if watch.watcher.over:
            self.forget(watch.row.plan_id)
