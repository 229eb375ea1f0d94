"""`python -m lotus_assets.tape_worker FD`: read days of tape for the process that holds the other end of a pipe.

It gets a `TapeTask`, opens the home by itself, commits the stages as any process does, and sends what begins and what
came of each day. Days that are simulated first are read as they come, while later ones are made; what no other stage
reads of them is made at the end, for that time is the parent's own. It ends with its parent, and leaves Ctrl-C to it.
Dagster is not imported: that is three seconds.
"""

import ctypes
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from threading import Lock

from lotus.errors import LotusError
from lotus.simulation.world import World
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.tape.reading import LATE, READING, DayRead, read_days
from lotus_assets.tape_process import TapeTask
from lotus_resources.processes import PDEATHSIG
from lotus_resources.recent_values import RecentValues
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.tape.import_world import days_coming
from lotus_store.tape.store import TapeStore


class Pipe:
    """The end of a pipe to which several threads send."""

    def __init__(self, end: Connection) -> None:
        """Take the end over."""
        self.end, self._gate = end, Lock()

    def send(self, message: DayRead | tuple[str, str]) -> None:
        """Send one message whole, of an error that does not travel its words; raises `OSError` when nobody listens."""
        if isinstance(message, DayRead) and message.error is not None:
            message = replace(message, error=travelling(message.error))
        with self._gate:
            self.end.send(message)


def travelling(error: Exception) -> Exception:
    """Return an error, or one with its words where it would not arrive whole at the other end of a pipe."""
    try:
        arrived = pickle.loads(pickle.dumps(error))
    except Exception as reason:  # whatever packing it may raise
        arrived = reason
    if type(arrived) is type(error) and str(arrived) == str(error):
        return error
    last = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f", raised in {Path(frame.filename).name} line {frame.lineno}" for frame in last)
    return LotusError(f"reading the tape: {type(error).__name__}: {error}{place}", "a tape that is read")


def work(pipe: Pipe) -> None:
    """Receive a task and do it."""
    task: TapeTask = pipe.end.recv()
    with Databases(task.settings) as databases, _coming(task) as wait_for:
        opened = partial(_context, task.settings, databases, RecentValues(), task.force)
        is_late, is_whole = task.source is not None, True
        begins = partial(_begins, pipe)
        stages = tuple(stage for stage in READING if not (is_late and stage in LATE))
        for read in read_days(opened, task.days, task.workers, begins, wait_for, stages):
            pipe.send(read)
            is_whole = read.is_whole
        if is_late and is_whole:
            for read in read_days(opened, task.days, task.workers, begins, stages=LATE):
                pipe.send(replace(read, is_late=True))


def _begins(pipe: Pipe, day: str, stage: str) -> None:
    pipe.send((day, stage))


@contextmanager
def _coming(task: TapeTask) -> Iterator[Callable[[str], None]]:
    """Begin to simulate what the tape lacks, if the task wants that; give what waits for a day and those before it."""
    if task.source is None:
        yield lambda day: None
        return
    store, world = (
        TapeStore(task.settings.home, task.settings.tape, task.settings.segments_url),
        World(task.source.world),
    )
    with days_coming(store, world, range(world.spec.days), task.source.recorded, 1) as coming:

        def wait_for(day: str) -> None:
            for other in coming:
                if other <= day:
                    coming[other].result()

        yield wait_for


@contextmanager
def _context(settings: Settings, databases: Databases, recent: RecentValues, force: bool) -> Iterator[StageContext]:
    with databases.connect("sig", autocommit=True) as sig:
        yield StageContext(
            settings=settings,
            lake=Lake(settings.lake_root),
            databases=databases,
            tape=TapeStore(settings.home, settings.tape, settings.segments_url),
            manifest=settings.manifest,
            sig=sig,
            recent=recent,
            force=force,
        )


def main() -> None:
    """Work for the parent, or say why not."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    pipe = Pipe(Connection(int(sys.argv[1])))
    if os.getppid() != int(sys.argv[2]):
        return  # the parent was over before it could be watched
    try:
        work(pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:
        pipe.send(DayRead("", error=error))


if __name__ == "__main__":
    main()
