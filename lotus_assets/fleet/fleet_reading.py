"""Read days of tape by the workers of a fleet, seen from the process that learns them.

A universe of one block is read in chunks of whole days; a larger one is split first, then made block by block, then
joined. An error of a day comes up in the day's turn. How runs are asked for is `asking`.
"""

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from lotus_assets.bodies import stage_context
from lotus_assets.fleet.asking import UNIT_S, Asking, asking
from lotus_assets.fleet.tape_units import SPLIT, WHOLE, tape_unit
from lotus_assets.stages.blocks.block import blocks_of
from lotus_assets.stages.blocks.work import is_block_made, is_split
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.tape.reading import DayRead, is_read, read_days
from lotus_resources.lotus_resource import Lotus

LINES_A_SECOND = 200_000.0  # so many a core reads, whole
LOOK_S = 1.0


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

    @property
    def config(self) -> Mapping[str, object]:
        """The configuration of its runs."""
        return {"ops": {"read_unit": {"config": {"days": list(self.days), "what": self.what}}}}


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
    asking: Asking
    ready: "queue.Queue[DayRead | BaseException]" = field(default_factory=queue.Queue)
    over: threading.Event = field(default_factory=threading.Event)

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
        def begins() -> None:
            self.begins(unit.days[0], f"{unit.what}, asked of the fleet")

        return self.asking.is_over(unit, lambda: _is_done(ctx, unit), begins)

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

    Raises `ConfigError` as `asking` does.
    """
    with asking(lotus, tape_unit.name) as opened:
        reading = FleetReading(lotus, begins, opened)
        thread = threading.Thread(target=reading.read, args=(tuple(days),), name="fleet reading", daemon=True)
        thread.start()
        try:
            yield reading
        finally:
            reading.over.set()
            thread.join(LOOK_S + 60.0)
