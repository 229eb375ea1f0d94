"""The way of an order to the exchange on a tape: it takes effect so many ms of the exchange's clock after it came.

So do cancels and modifies; what changes nothing in a book is there at once. The exchange lets its clock reach a time,
and with it every action that is due. In the literature: discrete-event queue.
"""

import asyncio
import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import Any

END_MS = 2**62
BOOK_ACTIONS = frozenset({"order", "cancel", "cancelByCloid", "modify", "batchModify"})


@dataclass(slots=True)
class Way:
    """The actions on their way; `latency_ms` 0: they are there at once."""

    latency_ms: int
    _under_way: list[tuple[int, int, "asyncio.Future[None]"]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)
    _reached_ms: int = 0

    async def taken(self, now_ms: int, body: Any) -> None:
        """Wait until the action of a request that came at `now_ms` takes effect."""
        action = body.get("action") if isinstance(body, dict) else None
        kind = action.get("type") if isinstance(action, dict) else None
        if self.latency_ms and self._reached_ms < END_MS and kind in BOOK_ACTIONS:
            there = asyncio.get_running_loop().create_future()
            heapq.heappush(self._under_way, (now_ms + self.latency_ms, next(self._numbers), there))
            await there

    def reach(self, now_ms: int) -> None:
        """Let the actions that are due by a time take effect, in their order; `END_MS` once the tape is over: all."""
        self._reached_ms = now_ms
        while self._under_way and self._under_way[0][0] <= now_ms:
            _, _, there = heapq.heappop(self._under_way)
            if not there.done():
                there.set_result(None)

    @property
    def waiting(self) -> int:
        """How many actions are on their way."""
        return sum(not there.done() for _, _, there in self._under_way)

    @property
    def next_ms(self) -> int | None:
        """When the next action takes effect, None without any."""
        return self._under_way[0][0] if self._under_way else None
