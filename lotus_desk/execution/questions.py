"""What is repeated until a venue answers: few at a time, in turn, and none again while it waits or is under way.

Orders whose fate is unknown are asked for every half second, cancels and modifies sent again. A venue that is slower
than that, or a busy machine, would otherwise never catch up: with hundreds of unknown orders each answer
came after the next question. What waits in turn waits once: only an answer that hangs is worth a second question, not a
queue that is long. (Literature: retry storm, single flight, bulkhead.)
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MOST = 2  # under way about one subject: the second may overtake an answer that hangs
LANES = 6  # to one venue at a time; the rest wait in turn, and orders always find a free connection


@dataclass(slots=True)
class OpenQuestions:
    """The questions to one venue: which subjects wait, how often each is under way, and the lanes they share."""

    _waiting: set[str] = field(default_factory=set)
    _asked: Counter[str] = field(default_factory=Counter)
    _lanes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LANES))

    @asynccontextmanager
    async def about(self, subject: str) -> AsyncIterator[bool]:
        """Wait for a lane and hold it; tell whether the question may be asked, at once when it may not."""
        if subject in self._waiting or self._asked[subject] >= MOST:
            yield False
            return
        self._waiting.add(subject)
        try:
            await self._lanes.acquire()
        finally:
            self._waiting.remove(subject)
        self._asked[subject] += 1
        try:
            yield True
        finally:
            self._lanes.release()
            self._asked[subject] -= 1
            if not self._asked[subject]:
                del self._asked[subject]
