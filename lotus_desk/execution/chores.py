"""The tasks of a desk: a task that breaks is reported, and one that must go on is begun again.

What follows from a task that broke is the desk's to decide. In the literature: supervision, let it crash.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lotus.errors import LotusError

AGAIN_S = 0.5
Job = Coroutine[Any, Any, None]


@dataclass(slots=True)
class Chores:
    """Tasks of one desk; `broke` takes what ended, and its error. One that is cancelled ended as it should."""

    broke: Callable[[str, BaseException], None]
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def begin(self, what: str, job: Job) -> None:
        """Do a job beside everything else."""
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, what))

    def keep(self, what: str, make: Callable[[], Job]) -> None:
        """Keep a job going that has no end of its own: one that breaks or ends is begun again after 0.5 s."""
        self.begin(what, self._again(what, make))

    async def close(self) -> None:
        """Cancel everything and wait until it ended."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _again(self, what: str, make: Callable[[], Job]) -> None:
        while True:
            try:
                await make()
                raise LotusError(f"{what} ended by itself", "it goes on", "the other side closed it")
            except Exception as problem:
                self.broke(what, problem)
            await asyncio.sleep(AGAIN_S)

    def _ended(self, what: str, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        problem = None if task.cancelled() else task.exception()
        if problem is not None:
            self.broke(what, problem)
