"""Blocking work that nobody may wait for: it is done in a thread and within a limit, or counts as not done.

What takes longer goes on by itself, and nothing else is begun until it has ended. In the literature: bulkhead, timeout.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from lotus.errors import LedgerError

DOWN = (psycopg.Error, LedgerError, OSError)


@dataclass(slots=True)
class InTime:
    """Does the books' jobs one at a time; `failed` is told why one was not done."""

    limit_s: float
    failed: Callable[[BaseException], None]
    _late: asyncio.Future[Any] | None = field(default=None)

    async def done(self, job: Callable[..., Any], *words: Any) -> bool:
        """Do a job in a thread; return whether it was done within the limit. Raises what is no fault of a database."""
        if self._late is not None and not self._late.done():
            return False
        task = asyncio.ensure_future(asyncio.to_thread(job, *words))
        try:
            finished, _ = await asyncio.wait({task}, timeout=self.limit_s)
        except asyncio.CancelledError:
            task.add_done_callback(_heard)
            raise
        if not finished:
            self._late = task
            task.add_done_callback(_heard)
            self.failed(LedgerError(f"the books took longer than {self.limit_s} s", "an answer", "the server is gone"))
            return False
        problem = task.exception()
        if problem is not None and not isinstance(problem, DOWN):
            raise problem
        if problem is not None:
            self.failed(problem)
        return problem is None


def _heard(task: "asyncio.Future[Any]") -> None:
    """Take what a late job ended with; it was told as late already."""
    if not task.cancelled():
        task.exception()
