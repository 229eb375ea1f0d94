"""Write-ahead of a paper account: changes are saved in batches beside the feed, and its news follows in order.

One save is under way at a time; what happens meanwhile is the next one. A batch that cannot be saved is tried again,
joined with what came after it. Nothing matches here. In the literature: write-ahead logging, group commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lotus.errors import VenueError
from lotus.trading.execution.orders import OrderUpdate
from lotus.trading.venue import VenueEvent
from lotus_venues.paper_account.account import PaperAccount
from lotus_venues.paper_account.state import PaperStore, Stored

RETRY_S = 0.25
Aside = Callable[[Callable[[Stored], None], Stored], Awaitable[None]]


@dataclass(slots=True)
class WriteAheadBatch:
    """What changed (None: nothing to save), and the news that may leave once that is saved."""

    change: Stored | None = None
    events: list[VenueEvent] = field(default_factory=list)
    answers: dict[int, list[OrderUpdate]] = field(default_factory=dict)

    def then(self, later: "WriteAheadBatch") -> "WriteAheadBatch":
        """Return this batch with a later one: the newer head, the newest of each order, all fills, all news."""
        return WriteAheadBatch(
            _joined(self.change, later.change), [*self.events, *later.events], {**self.answers, **later.answers}
        )


class WriteAhead:
    """The way from an account to those who listen; `failure` says why the last save failed, empty when it did not."""

    def __init__(
        self,
        market: PaperAccount,
        store: PaperStore | None,
        tell: Callable[[WriteAheadBatch], None],
        aside: Aside = asyncio.to_thread,
    ) -> None:
        """Without a store all news leaves at once; `aside` carries a save out without holding up the loop."""
        self.market, self.store, self.tell, self.aside = market, store, tell, aside
        self.failure = ""
        self._cut = self._told = 0
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    def note(self) -> None:
        """Take up what happened since the last call; call it in the loop, after each message or batch."""
        if not self.market.has_news or self._task is not None:
            return
        if self.store is None:
            self.tell(self._batch())
            return
        self._task = asyncio.get_running_loop().create_task(self._work(self.store))

    async def settled(self) -> None:
        """Wait until all changes so far are saved and their news left. Raises `VenueError` when they cannot be."""
        self.note()
        if self._task is None:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((self._cut + self.market.has_news, waiter))
        await waiter

    async def _work(self, store: PaperStore) -> None:
        held = WriteAheadBatch()
        while self.market.has_news or held.change is not None:
            batch = held.then(self._batch())
            held = WriteAheadBatch()
            if batch.change is not None:
                try:
                    await self.aside(store.save, batch.change)
                except Exception as error:  # whatever broke, news of unsaved changes must not leave
                    self.failure, held = str(error), batch
                    self._fail()
                    await asyncio.sleep(RETRY_S)
                    continue
            self.failure, self._told = "", self._cut
            self.tell(batch)
            self._wake()
        self._task = None

    def _batch(self) -> WriteAheadBatch:
        """Return what happened since the last batch."""
        change = self.market.change() if self.store is not None else None
        self.market.saved()
        self._cut += 1
        return WriteAheadBatch(change, self.market.take_events(), self.market.take_answers())

    def _wake(self) -> None:
        due = [waiter for number, waiter in self._waiters if number <= self._told]
        self._waiters = [(number, waiter) for number, waiter in self._waiters if number > self._told]
        for waiter in due:
            if not waiter.done():
                waiter.set_result(None)

    def _fail(self) -> None:
        waiters, self._waiters = self._waiters, []
        text = f"the paper account cannot be saved ({self.failure})"
        for _, waiter in waiters:
            if not waiter.done():
                waiter.set_exception(VenueError(text, "a store that saves"))


def _joined(earlier: Stored | None, later: Stored | None) -> Stored | None:
    if earlier is None or later is None:
        return later if earlier is None else earlier
    orders: Mapping[str, Any] = {order["client_id"]: order for order in (*earlier["orders"], *later["orders"])}
    return {**later, "orders": list(orders.values()), "fills": [*earlier["fills"], *later["fills"]]}
