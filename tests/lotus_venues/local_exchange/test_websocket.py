"""The websocket as the venue's: acknowledgements, errors, ends, market frames as the tape holds them, user channels."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from local_world import T0, UNIVERSE, listener, order_action, post, rich, signed, until, venue, wallet
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from lotus.errors import TapeError
from lotus_venues.local_exchange.frames import bbo_frame, book_frame, trade_frame
from lotus_venues.local_exchange.limits import SOCKETS, SOCKETS_A_MINUTE
from lotus_venues.local_exchange.options import Options, TimeSource
from lotus_venues.local_exchange.server import LocalExchange

ADDRESS = wallet().address
BIDS, ASKS = [("100000.0", "0.5")], [("100001.0", "0.5")]


def test_acknowledgements_errors_and_pong() -> None:
    async def run() -> None:
        async with venue() as exchange, listener(exchange) as client:
            await until(lambda: client.texts)
            assert client.texts[0] == "Websocket connection established."
            await client.subscribe("userFills", user=ADDRESS, colour=1)
            echo = {"type": "userFills", "user": ADDRESS, "aggregateByTime": False}
            assert client.on("subscriptionResponse") == [{"method": "subscribe", "subscription": echo}]
            await client.subscribe("userFills", user=ADDRESS, colour=1)
            await client.subscribe("noSuchType", coin="BTC")
            await client.subscribe("orderUpdates", user="0x12")
            await client.say("nonsense")
            await client.say({"method": "ping"})
            await until(lambda: client.heard[-1] == {"channel": "pong"})
            errors = client.on("error")
            assert [e.split(" ")[0] for e in errors] == ["Already", "Invalid", "Invalid", "Error"]

    asyncio.run(run())


def test_an_unknown_coin_ends_the_socket_without_a_close_frame() -> None:
    async def run() -> None:
        async with venue() as exchange, listener(exchange) as client:
            await client.subscribe("bbo", coin="BTC")
            await client.say({"method": "subscribe", "subscription": {"type": "bbo", "coin": "NOPE"}})
            await until(lambda: client.code is not None)
            assert client.code == 1006

    asyncio.run(run())


def test_market_frames_pass_unchanged_to_their_subscribers_only() -> None:
    async def run() -> None:
        async with venue() as exchange, listener(exchange) as client:
            await client.subscribe("l2Book", coin="BTC", fast=True)
            await client.subscribe("trades", coin="BTC")
            client.texts.clear()
            fast = book_frame("BTC", T0 + 1, BIDS, ASKS, fast=True)
            printed = trade_frame("BTC", T0 + 2, "B", "100001.0", "0.1", 5)
            for raw in (book_frame("BTC", T0 + 1, BIDS, ASKS), fast, bbo_frame("BTC", T0 + 2, BIDS[0], None), printed,
                        trade_frame("ETH", T0 + 2, "B", "4000.1", "0.1", 6)):  # fmt: skip
                exchange.feed(raw)
            await exchange.flush()
            await until(lambda: len(client.texts) >= 2)
            assert [t.encode() for t in client.texts] == [fast, printed]

    asyncio.run(run())


def test_first_messages_are_the_last_book_the_last_prints_and_the_snapshot_of_fills() -> None:
    async def run() -> None:
        async with venue() as exchange:
            for tid in range(40):
                exchange.feed(trade_frame("BTC", T0 + tid, "B", "100001.0", "0.001", tid))
            await post(exchange, "/exchange", signed(order_action("100001", tif="Ioc")))
            async with listener(exchange) as client:
                await client.subscribe("trades", coin="BTC")
                await client.subscribe("l2Book", coin="BTC")
                await client.subscribe("userFills", user=ADDRESS)
                await until(lambda: client.on("userFills") and client.on("l2Book") and client.on("trades"))
                assert [row["tid"] for row in client.on("trades")[0]] == list(range(10, 40))
                snapshot = client.on("userFills")[0]
                assert snapshot["isSnapshot"] is True
                assert [f["px"] for f in snapshot["fills"]] == ["100001.0"]

    asyncio.run(run())


def test_posts_over_the_websocket() -> None:
    async def run() -> None:
        async with venue() as exchange, listener(exchange) as client:
            book = {"type": "info", "payload": {"type": "l2Book", "coin": "BTC"}}
            order = {"type": "action", "payload": signed(order_action())}
            for number, request in enumerate((book, order, {"type": "info", "payload": {"type": "no"}}, {"type": "x"})):
                await client.say({"method": "post", "id": number, "request": request})
            await until(lambda: len(client.on("post")) == 4)
            answers = {data["id"]: data["response"] for data in client.on("post")}
            assert answers[0]["payload"]["data"]["coin"] == "BTC"
            assert answers[1]["type"] == "action"
            assert "resting" in answers[1]["payload"]["response"]["data"]["statuses"][0]
            assert answers[2]["type"] == answers[3]["type"] == "error"

    asyncio.run(run())


def test_a_connection_that_was_sent_nothing_ends() -> None:
    async def run() -> None:
        async with venue(idle_s=0.2, greets=False) as exchange, listener(exchange) as client:
            await until(lambda: client.code is not None)
            assert client.code == 1006

    asyncio.run(run())


def test_subscriptions_and_users_are_limited() -> None:
    async def run() -> None:
        async with venue(limit_scale=0.2) as exchange, listener(exchange) as client:  # two users
            for number in (1, 2, 3):
                await client.subscribe("orderUpdates", user=f"0x{number:040x}")
            await until(lambda: client.on("error"))
            assert client.on("error") == ["Cannot track more than 10 total users."]

    asyncio.run(run())


def test_user_events_tell_fills_and_what_the_venue_cancelled() -> None:
    async def run() -> None:
        async with venue() as exchange, listener(exchange) as client:
            await client.subscribe("userEvents", user=ADDRESS)
            await client.subscribe("userFundings", user=ADDRESS)
            exchange.feed(book_frame("BTC", T0 + 1, [("99990.0", "1.0")], ASKS))
            await post(exchange, "/exchange", signed(order_action("100000", buys=True)))
            await post(exchange, "/exchange", signed(order_action("100000", buys=False)))
            await until(lambda: client.on("user"))
            (ended,) = client.on("user")
            assert list(ended) == ["nonUserCancel"]
            await post(exchange, "/exchange", signed(order_action("100001", tif="Ioc")))
            await exchange.advance(T0 + 3_600_000)
            await until(lambda: len(client.on("user")) == 4)
            kinds = [next(iter(data)) for data in client.on("user")]
            assert kinds == ["nonUserCancel", "fills", "nonUserCancel", "funding"]
            told = client.on("userFundings")
            assert told[0]["isSnapshot"] is True
            assert told[1]["fundings"][0]["usdc"] == "-0.0125"

    asyncio.run(run())


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


def test_all_mids_come_about_once_a_second_of_its_clock() -> None:
    lines = [((T0 + 250 * i) * 1_000_000, bbo_frame("BTC", T0 + 250 * i, BIDS[0], ASKS[0])) for i in range(1, 13)]

    async def run() -> None:
        async with LocalExchange(UNIVERSE, lines) as exchange, listener(exchange) as client:
            await client.subscribe("allMids")
            await exchange.advance(T0 + 3_000)
            await until(lambda: len(client.on("allMids")) >= 4)
            assert client.on("allMids")[-1] == {"mids": {"BTC": "100000.5"}}
            assert len(client.on("allMids")) <= 5

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
