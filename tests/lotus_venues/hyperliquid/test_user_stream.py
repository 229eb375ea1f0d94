"""The user stream against a venue that accepts every socket and drops it at once."""

import asyncio
from dataclasses import replace

import pytest
from websockets.asyncio.server import ServerConnection, serve

from lotus_venues.hyperliquid.user_stream import StreamPolicy, UserStream

pytestmark = pytest.mark.process("sockets over wall time")

HASTY = StreamPolicy(backoff_first_s=0.001, backoff_most_s=0.001, opens_a_minute=10**6)


async def opened(policy: StreamPolicy, streams: int, seconds: float) -> int:
    """Return how many sockets some streams opened at one host within so many seconds."""
    seen = 0

    async def drop(socket: ServerConnection) -> None:
        nonlocal seen
        seen += 1

    async def ready() -> None:
        return

    async with serve(drop, "127.0.0.1", 0) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
        made = [UserStream(url, f"0x{n}", lambda *_: None, ready, policy) for n in range(streams)]
        tasks = [asyncio.create_task(stream.run()) for stream in made]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return seen


def test_a_dropped_socket_is_no_health_and_backs_off_further() -> None:
    policy = replace(HASTY, backoff_first_s=0.05, backoff_most_s=30.0)
    assert asyncio.run(opened(policy, 1, 1.5)) <= 10
    assert asyncio.run(opened(HASTY, 1, 0.5)) > 10


def test_all_streams_of_a_process_share_the_new_sockets_of_a_minute() -> None:
    assert asyncio.run(opened(replace(HASTY, opens_a_minute=6), 3, 0.5)) == 6
