"""Who is told what: subscribers, first snapshots, user events, all mids."""

import asyncio

from local_world import T0, UNIVERSE, listener, order_action, post, signed, until, venue, wallet

from lotus_venues.local_exchange.frames import bbo_frame, book_frame, trade_frame
from lotus_venues.local_exchange.web.server import LocalExchange

ADDRESS = wallet().address
BIDS, ASKS = [("100000.0", "0.5")], [("100001.0", "0.5")]


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
