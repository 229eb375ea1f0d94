"""Options of an exchange: the clock of the machine, a tape that plays itself or is found damaged."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from local_world import T0, UNIVERSE, listener, post, rich, until, venue

from lotus.errors import TapeError
from lotus_venues.local_exchange.frames import bbo_frame
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.web.server import LocalExchange

BIDS, ASKS = [("100000.0", "0.5")], [("100001.0", "0.5")]


def test_a_tape_plays_itself_once_enough_is_subscribed() -> None:
    lines = [
        ((T0 + 100 * i) * 1_000_000, bbo_frame("BTC", T0 + 100 * i, ("100000.0", f"0.{i + 1}"), ASKS[0]))
        for i in range(9)
    ]
    lines.insert(3, ((T0 + 250) * 1_000_000, b'{"channel":"subscriptionResponse","data":{}}'))

    async def run() -> None:
        options = Options(speed=0.0, start_after=1)
        async with LocalExchange(UNIVERSE, lines, options=options) as exchange, listener(exchange) as client:
            await asyncio.sleep(0.05)
            assert exchange.played == 0
            await client.subscribe("bbo", coin="BTC")
            await asyncio.wait_for(exchange.tape_over.wait(), 5)
            await until(lambda: len(client.on("bbo")) == 9)
            assert exchange.now_ms == T0 + 800
            assert json.loads(client.texts[-1])["data"]["bbo"][0]["sz"] == "0.9"

    asyncio.run(run())


def test_a_damaged_tape_is_not_passed_over_in_silence() -> None:
    def lines() -> Iterator[tuple[int, bytes]]:
        yield T0 * 1_000_000, bbo_frame("BTC", T0, BIDS[0], ASKS[0])
        raise TapeError("the recording ends inside a line")

    async def run() -> None:
        async with LocalExchange(UNIVERSE, lines(), options=Options(speed=0.0)) as exchange:
            await asyncio.wait_for(exchange.broken.wait(), 5)
            assert exchange.played == 1

    with pytest.raises(TapeError):
        asyncio.run(run())


def test_the_clock_of_the_machine_can_be_the_exchanges() -> None:
    async def run() -> None:
        now = [T0 + 5_000]
        options = rich(clock=TimeSource.WALL, wall_ms=lambda: now[0])
        async with venue(options) as exchange:
            assert exchange.now_ms == T0 + 5_000
            now[0] += 1_000
            assert (await post(exchange, "/info", {"type": "exchangeStatus"}))[1]["time"] == T0 + 6_000

    asyncio.run(run())
