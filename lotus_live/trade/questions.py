"""What is repeated until a venue answers: few at a time, in turn, and none again while it waits or is under way.

Orders whose fate is unknown are asked for every half second, cancels and modifies sent again. A venue that is slower
than that, or a busy machine, would otherwise be buried and never catch up: with hundreds of unknown orders each answer
came after the next question. (Literature: retry storm, single flight, bulkhead.)
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

MOST = 2  # about one subject at a time: the second may overtake an answer that hangs
LANES = 6  # to one venue at a time; the rest wait in turn, and orders always find a free connection


@dataclass(slots=True)
class OpenQuestions:
    """The questions to one venue: how often each subject waits or is asked about, and the lanes they share."""

    _open: Counter[str] = field(default_factory=Counter)
    _lanes: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LANES))

    @asynccontextmanager
    async def about(self, subject: str) -> AsyncIterator[bool]:
        """Wait for a lane and hold it; tell whether the question may be asked, at once when it may not."""
        self._open[subject] += 1
        try:
            if self._open[subject] > MOST:
                yield False
            else:
                async with self._lanes:
                    yield True
        finally:
            self._open[subject] -= 1
            if not self._open[subject]:
                del self._open[subject]
