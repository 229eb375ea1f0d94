"""One websocket as the venue's: acknowledgements, errors, posts and ends."""

import asyncio

from local_world import listener, order_action, signed, until, venue, wallet

ADDRESS = wallet().address


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
