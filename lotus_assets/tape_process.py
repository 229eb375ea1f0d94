"""A process that reads days of tape ahead of the learning, seen from the process that learns.

Two interpreters then work at once; the ledger is where they meet, so a kill of either is the kill of a stage. Messages
wait in the pipe: the reader stops for a while when nobody takes them, some fifty days ahead. What is read, and how, is
`lotus_assets.stages.tape.reading`. Of a world that process also simulates what the tape lacks. Nothing heavy is
imported here, so it may be begun before anything else. (Literature: pipeline parallelism.)
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from lotus.errors import LotusError
from lotus.simulation.spec import WorldSpec
from lotus_store.config import Settings

if TYPE_CHECKING:
    from lotus_assets.stages.tape.reading import DayRead

LEAVING_S = 5.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """A world whose days become the tape where it lacks them; `recorded` as in `import_world`."""

    world: WorldSpec
    recorded: Mapping[str, Sequence[str]] | None


@dataclass(frozen=True, slots=True)
class TapeTask:
    """The days to read, and how: in which home, again or not, on how many threads; simulated first with a `source`."""

    settings: Settings
    days: tuple[str, ...]
    force: bool
    workers: int
    source: Simulated | None


@dataclass(slots=True)
class TapeProcess:
    """The days that a process reads, in order, as they are done; `begins` hears of the day and name of every stage."""

    days: tuple[str, ...]
    pipe: Connection
    begins: Callable[[str, str], None]
    _late: "list[DayRead]" = field(default_factory=list)

    def take(self, wait: bool) -> "list[DayRead]":
        """Return what came of the days that were done since the last time; `wait` until it is one at least.

        Raises the error that ended the process, and `LotusError` when it ended without a word.
        """
        done: list[DayRead] = []
        while self.pipe.poll(None if wait and not done else 0):
            try:
                read = self._heard()
            except EOFError:
                if done:
                    break  # it has said all; who asks for more is told
                raise _gone() from None
            if read is not None:
                (self._late if read.is_late else done).append(read)
        return done

    def take_late(self) -> "list[DayRead]":
        """Return what came of the late stages of all days, up to one that is not whole; raises as `take`."""
        try:
            while len(self._late) < len(self.days) and all(read.is_whole for read in self._late):
                self._late += filter(None, [self._heard()])
        except EOFError:
            raise _gone() from None
        return self._late

    def _heard(self) -> "DayRead | None":
        """Return what came next, None where it is that something begins; raises `EOFError` at the end."""
        try:
            message: DayRead | tuple[str, str] = self.pipe.recv()
        except ConnectionResetError:
            raise EOFError from None
        if isinstance(message, tuple):
            self.begins(*message)
            return None
        if not message.day and message.error is not None:
            raise message.error
        return message


def _gone() -> LotusError:
    cause = "it was killed, or memory ran out; the next backfill goes on where it was"
    return LotusError("the process that reads the tape ended", "one that reads all", cause)


@contextmanager
def tape_process(
    settings: Settings,
    days: Sequence[str],
    force: bool,
    workers: int,
    begins: Callable[[str, str], None],
    source: Simulated | None = None,
) -> Iterator[TapeProcess]:
    """Have a process of its own read days of tape; it ends with the block, however that ends."""
    ours, theirs = Pipe()
    command = [sys.executable, "-P", "-m", "lotus_assets.tape_worker", str(theirs.fileno()), str(os.getpid())]
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[theirs.fileno()],
        process_group=0,  # Ctrl-C is its parent's
    )
    try:
        theirs.close()
        plain = replace(settings, dsns=dict(settings.dsns))  # a read-only view of a dictionary does not travel
        ours.send(TapeTask(plain, tuple(days), force, workers, source))
        yield TapeProcess(tuple(days), ours, begins)
        with suppress(subprocess.TimeoutExpired):
            child.wait(LEAVING_S)  # it has said all and lets the home go
    finally:
        ours.close()
        child.kill()
        child.wait()
