"""The queue of an adapter: told in order, the oldest dropped and counted beyond the bound, read to its end."""

import asyncio
from typing import Any

from lotus_venues.event_queue import EventQueue


async def drained(queue: EventQueue) -> list[Any]:
    """Return what a reader gets until the queue ends."""
    return [event async for event in queue.read()]


def test_beyond_the_bound_the_oldest_are_dropped_and_counted() -> None:
    queue = EventQueue(3)
    queue.put(range(5))  # type: ignore[arg-type]
    queue.close()
    assert asyncio.run(drained(queue)) == [2, 3, 4]
    assert queue.dropped == 2


def test_a_waiting_reader_is_woken_and_a_closed_queue_can_be_opened_again() -> None:
    async def go() -> None:
        queue = EventQueue()
        reader = asyncio.create_task(drained(queue))
        for event in ("a", "b"):
            await asyncio.sleep(0)
            queue.put([event])  # type: ignore[list-item]
        queue.close()
        assert await asyncio.wait_for(reader, 5.0) == ["a", "b"]
        queue.open()
        again = asyncio.create_task(drained(queue))
        await asyncio.sleep(0.01)
        assert not again.done(), "an open queue is read for ever"
        queue.close()
        assert await asyncio.wait_for(again, 5.0) == []

    asyncio.run(go())
