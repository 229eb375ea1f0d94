"""The queue between an adapter and its one reader: bounded, counts what it had to drop, never blocks the writer.

A reader that lost events reconciles by asking the venue. In the literature: bounded buffer, drop oldest.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

from lotus.trading.venue import VenueEvent

_MOST = 100_000


class EventQueue:
    """Events in their order. `dropped` counts those lost because nobody read."""

    def __init__(self, most: int = _MOST) -> None:
        """Hold at most `most` events."""
        self.dropped = 0
        self._events: deque[VenueEvent] = deque(maxlen=most)
        self._wake = asyncio.Event()
        self._is_closed = False

    def open(self) -> None:
        """Accept a reader again."""
        self._is_closed = False

    def close(self) -> None:
        """Let the reader end once it has read what is there."""
        self._is_closed = True
        self._wake.set()

    def put(self, events: Iterable[VenueEvent]) -> None:
        """Add events; the oldest are dropped beyond the bound."""
        for event in events:
            self.dropped += len(self._events) == self._events.maxlen
            self._events.append(event)
        if self._events:
            self._wake.set()

    async def read(self) -> AsyncIterator[VenueEvent]:
        """Yield events as they come, until closed; one reader at a time."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._is_closed:
                return
            self._wake.clear()
            await self._wake.wait()
