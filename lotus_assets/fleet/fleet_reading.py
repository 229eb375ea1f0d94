"""Read days of tape by the workers of a fleet, seen from the process that learns them.

Runs are put into Dagster's queue and their commits looked for; who executes them is Dagster's and the workers' affair.
A universe of one block is read in chunks of whole days; a larger one is split first, then made block by block, then
joined. A unit whose run is over without its commit is asked for once more and then left to this process, where its
error, if it is one of the day, comes up in the day's turn. (Literature: polling of idempotent work.)
"""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from lotus.errors import ConfigError
from lotus_assets.bodies import stage_context
from lotus_assets.fleet.tape_units import SPLIT, WHOLE, tape_unit
from lotus_assets.stages.blocks.block import blocks_of
from lotus_assets.stages.blocks.work import is_block_made, is_split
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.tape.reading import DayRead, is_read, read_days
from lotus_resources.dagster_internals import IN_PROGRESS, submitting, will_be_tried_again
from lotus_resources.fleet.broker import RELEASE_TAG, asked_by, celery_app, needed, release
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import instance, provision

UNIT_TAG = "lotus/unit"
UNIT_S, LINES_A_SECOND = 60.0, 200_000.0  # a run should last so long; so many lines a core reads, whole
LOOK_S = 1.0
TRIES = 2
ACTIVE = (dg.DagsterRunStatus.QUEUED, *IN_PROGRESS)
Submit = Callable[[str, Mapping[str, object], Mapping[str, str]], str]


def chunks_of(days: Sequence[str], lines: Mapping[str, int], slots: int) -> list[tuple[str, ...]]:
    """Return days one after the other in chunks of about a minute's work, at least one a slot as far as days last.

    >>> chunks_of(["a", "b", "c", "d"], dict.fromkeys("abcd", 7_000_000), 2)
    [('a', 'b'), ('c', 'd')]
    """
    most = max(1, -(-len(days) // slots))
    chunks: list[list[str]] = []
    work = 0.0
    for day in days:
        if not chunks or work >= UNIT_S or len(chunks[-1]) >= most:
            chunks.append([])
            work = 0.0
        chunks[-1].append(day)
        work += lines[day] / LINES_A_SECOND
    return [tuple(chunk) for chunk in chunks]


@dataclass(slots=True)
class FleetUnit:
    """A run's worth of work, how often it was asked for, and whether it is over: done, or left to this process."""

    days: tuple[str, ...]
    what: str
    tries: int = 0
    is_over: bool = False

    @property
    def name(self) -> str:
        """How its runs are tagged."""
        return f"{self.days[0]} to {self.days[-1]}, {self.what}"


@dataclass(slots=True)
class _Chunk:
    days: tuple[str, ...]
    units: list[FleetUnit]  # those under way
    is_over: bool = False


@dataclass(slots=True)
class FleetReading:
    """Days that workers read, in order; `ready` takes what came of them, from a thread that asks and looks."""

    lotus: Lotus
    begins: Callable[[str, str], None]
    opened: dg.DagsterInstance
    submit: Submit
    ready: "queue.Queue[DayRead | BaseException]" = field(default_factory=queue.Queue)
    over: threading.Event = field(default_factory=threading.Event)
    asked: Mapping[str, str] = field(init=False)  # the settings that every run is asked for with, as tags

    def __post_init__(self) -> None:
        """Ask as this home does."""
        self.asked = asked_by(self.lotus.settings)

    def take(self, wait: bool) -> list[DayRead]:
        """Return what came of days since the last time; `wait` until it is one at least. Raises what ended it."""
        done: list[DayRead] = []
        while (wait and not done) or not self.ready.empty():
            came = self.ready.get()
            if isinstance(came, BaseException):
                raise came
            done.append(came)
        return done

    def read(self, days: Sequence[str]) -> None:
        """Have all days read; tells of each in order, and ends early where one is not whole or nobody wants more."""
        try:
            with stage_context(self.lotus) as ctx:
                lines = {day: sum(meta.lines for meta in self.lotus.tape.segments(day)) for day in days}
                chunks = self._planned(ctx, chunks_of(days, lines, self.lotus.settings.fleet.slots))
                while chunks and not self.over.is_set():
                    for chunk in chunks:
                        self._goes_on(ctx, chunk)
                    while chunks and chunks[0].is_over:
                        if not self._tell(chunks.pop(0)):
                            return
                    self.over.wait(LOOK_S)
        except BaseException as error:
            self.ready.put(error)

    def _planned(self, ctx: StageContext, chunks: Sequence[tuple[str, ...]]) -> list[_Chunk]:
        whole = len(blocks_of(ctx)) == 1
        return [_Chunk(days, [FleetUnit(days, WHOLE if whole else SPLIT)]) for days in chunks]

    def _goes_on(self, ctx: StageContext, chunk: _Chunk) -> None:
        """Look at the units of a chunk, ask for what they lack, and begin the next ones."""
        for unit in chunk.units:
            unit.is_over = unit.is_over or self._is_over(ctx, unit)
        if chunk.is_over or not all(unit.is_over for unit in chunk.units):
            return
        what = chunk.units[0].what
        if what == WHOLE or not all(_is_done(ctx, unit) for unit in chunk.units):
            chunk.is_over = True
            return
        following = [str(block.number) for block in blocks_of(ctx)] if what == SPLIT else [WHOLE]
        chunk.units = [FleetUnit(chunk.days, one) for one in following]
        self._goes_on(ctx, chunk)

    def _is_over(self, ctx: StageContext, unit: FleetUnit) -> bool:
        """Ask for a unit unless a run of it is under way; tell whether it is done, or was asked for often enough."""
        tags = {**self.asked, UNIT_TAG: unit.name}
        newest = self.opened.get_runs(filters=dg.RunsFilter(tags=tags), limit=1)
        if newest and (newest[0].status in ACTIVE or will_be_tried_again(newest[0])):
            return False
        if _is_done(ctx, unit) or unit.tries >= TRIES:
            return True
        self.begins(unit.days[0], f"{unit.what}, asked of the fleet")
        config = {"ops": {"read_unit": {"config": {"days": list(unit.days), "what": unit.what}}}}
        self.submit(tape_unit.name, config, {**tags, RELEASE_TAG: release()})  # the launcher writes its own there
        unit.tries += 1
        return False

    def _tell(self, chunk: _Chunk) -> bool:
        """Find the days committed, or make what is left of them, and tell of them; return whether all are whole."""
        for read in read_days(lambda: stage_context(self.lotus), chunk.days, 1, self.begins):
            self.ready.put(read)
            if not read.is_whole:
                return False
        return True


def _is_done(ctx: StageContext, unit: FleetUnit) -> bool:
    if unit.what == WHOLE:
        return all(is_read(ctx, day) for day in unit.days)
    if unit.what == SPLIT:
        return all(is_split(ctx, day) for day in unit.days)
    return all(is_block_made(ctx, day, blocks_of(ctx)[int(unit.what)]) for day in unit.days)


@contextmanager
def fleet_reading(lotus: Lotus, days: Sequence[str], begins: Callable[[str, str], None]) -> Iterator[FleetReading]:
    """Have the fleet read days of tape as long as the body runs; what it was asked for goes on without us.

    Raises `ConfigError` where `lotus up` does not run for this home, or neither broker nor a worker answers.
    """
    workspace = Path(lotus.settings.home) / "dagster" / "workspace.json"
    if not workspace.exists():
        raise ConfigError(f"no {workspace}", "`lotus up` running on this home", "it hands the runs to the workers")
    with needed():
        answers = celery_app(os.environ).control.ping(timeout=2.0)
    if not answers:
        raise ConfigError("no worker answers", "one at least", "lotus fleet up, on this machine or another")
    environment = provision(lotus.settings, lotus.databases)
    with instance(environment) as opened, submitting(opened, workspace) as submit:
        reading = FleetReading(lotus, begins, opened, submit)
        thread = threading.Thread(target=reading.read, args=(tuple(days),), name="fleet reading", daemon=True)
        thread.start()
        try:
            yield reading
        finally:
            reading.over.set()
            thread.join(LOOK_S + 60.0)
