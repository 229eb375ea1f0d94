"""Limits of the websocket: subscriptions, users, new and open sockets."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from local_world import listener, until, venue
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from lotus_venues.local_exchange.requests.limits import SOCKETS, SOCKETS_A_MINUTE


def test_subscriptions_and_users_are_limited() -> None:
    async def run() -> None:
        async with venue(limit_scale=0.2) as exchange, listener(exchange) as client:  # two users
            for number in (1, 2, 3):
                await client.subscribe("orderUpdates", user=f"0x{number:040x}")
            await until(lambda: client.on("error"))
            assert client.on("error") == ["Cannot track more than 10 total users."]

    asyncio.run(run())


def test_beyond_thirty_new_sockets_a_minute_the_handshake_is_refused() -> None:
    async def run() -> None:
        async with venue() as exchange:
            for _ in range(SOCKETS_A_MINUTE):
                async with connect(exchange.ws_url, close_timeout=0.1):
                    pass
            with pytest.raises(InvalidStatus):
                await connect(exchange.ws_url)

    asyncio.run(run())


def test_beyond_ten_open_sockets_the_handshake_is_refused_until_one_ends() -> None:
    async def run() -> None:
        async with venue() as exchange, AsyncExitStack() as held:
            first, *_ = [await held.enter_async_context(connect(exchange.ws_url)) for _ in range(SOCKETS)]
            with pytest.raises(InvalidStatus):
                await connect(exchange.ws_url)
            await first.close()
            await until(lambda: len(exchange.hub.sessions) < SOCKETS)
            await held.enter_async_context(connect(exchange.ws_url))

    asyncio.run(run())
