"""Blocking work that nobody may wait for: it is done in a thread and within a limit, or counts as not done.

What takes longer goes on by itself, and nothing else is begun until it has ended; what it did is reported then.
In step with a replay everybody waits, and there is no thread: handing a job over costs more than most jobs do.
In the literature: bulkhead, timeout.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import psycopg

from lotus.errors import LedgerError

OVER_S = 2.0  # an end waits so long for a job under way
DOWN = (psycopg.Error, LedgerError, OSError)
Ended = Callable[[bool], None]


@dataclass(slots=True)
class InTime:
    """Does the books' jobs one at a time; `failed` takes why one was not done. Without a limit it waits for each.

    With `in_step` a job is done in the loop itself, however long that takes.
    """

    limit_s: float | None
    failed: Callable[[BaseException], None]
    in_step: bool = False
    _late: asyncio.Future[Any] | None = field(default=None)

    @property
    def is_busy(self) -> bool:
        """Whether a job that took too long is not over yet: no other will be begun."""
        return self._late is not None

    async def done(self, job: Callable[..., Any], *words: Any, ended: Ended | None = None) -> bool:
        """Do a job in a thread; return whether it was done within the limit. Raises what is no fault of a database.

        A job that was begun calls `ended` in the loop with whether it was done, however late that is.
        """
        if self.is_busy:
            return False
        if self.in_step:
            return self._settle(_problem_of(job, words), ended)
        task = asyncio.ensure_future(asyncio.to_thread(job, *words))
        try:
            finished, _ = await asyncio.wait({task}, timeout=self.limit_s)
        except asyncio.CancelledError:
            self._leave(task, ended)
            raise
        if not finished:
            self._leave(task, ended)
            self.failed(LedgerError(f"the books took longer than {self.limit_s} s", "an answer", "the server is gone"))
            return False
        return self._settle(task.exception(), ended)

    async def over(self, close: Callable[[], None]) -> None:
        """Call `close` once no job runs any more, and wait `OVER_S` for that: under a job a connection would break."""
        if self._late is None:
            close()
            return
        self._late.add_done_callback(lambda _: close())
        await asyncio.wait({self._late}, timeout=OVER_S)

    def _settle(self, problem: BaseException | None, ended: Ended | None) -> bool:
        """Report how a job ended; return whether it was done."""
        if ended is not None:
            ended(problem is None)
        if problem is not None and not isinstance(problem, DOWN):
            raise problem
        if problem is not None:
            self.failed(problem)
        return problem is None

    def _leave(self, task: "asyncio.Future[Any]", ended: Ended | None) -> None:
        self._late = task
        task.add_done_callback(partial(self._take_late, ended))

    def _take_late(self, ended: Ended | None, task: "asyncio.Future[Any]") -> None:
        """Take the end of a late job; it was reported as late already."""
        self._late = None
        is_done = not task.cancelled() and task.exception() is None
        if ended is not None:
            ended(is_done)


def _problem_of(job: Callable[..., Any], words: tuple[Any, ...]) -> Exception | None:
    """Do a job; return what it raised."""
    try:
        job(*words)
    except Exception as problem:
        return problem
    return None
