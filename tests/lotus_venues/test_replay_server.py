"""The replay server over a real socket, driven by an independent client (the websockets library)."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from lotus.errors import VenueError
from lotus.manifest import Asset
from lotus_venues.hyperliquid.info import InfoClient, http_base, require_listed
from lotus_venues.hyperliquid.subscriptions import (
    PING_TEXT,
    Subscription,
    acknowledged,
    route,
    subscribe_text,
    universe_subscriptions,
    unsubscribe_text,
)
from lotus_venues.replay_server import GREETING, ReplayPlan, ReplayServer

UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4))


def bbo(time_ms: int, px: int = 100) -> bytes:
    """Return a bbo frame."""
    level = '{"px":"%d.0","sz":"1.5","n":3}'
    return (
        f'{{"channel":"bbo","data":{{"coin":"BTC","time":{time_ms},"bbo":[{level % px},{level % (px + 1)}]}}}}'.encode()
    )


def trade(tid: int) -> bytes:
    """Return a trades frame with one trade."""
    fields = {"coin": "BTC", "side": "B", "px": "100.0", "sz": "0.1", "time": tid, "hash": "0x0", "tid": tid}
    return json.dumps({"channel": "trades", "data": [fields]}, separators=(",", ":")).encode()


def frames(n: int) -> list[tuple[int, bytes]]:
    """Return n frames a millisecond apart."""
    return [(i * 1_000_000, bbo(i)) for i in range(n)]


async def enter(url: str) -> ClientConnection:
    """Connect, read the greeting and subscribe to everything; returns after the last acknowledgement."""
    client = await connect(url, compression=None, proxy=None)
    assert await client.recv() == GREETING
    subs = universe_subscriptions(a.name for a in UNIVERSE)
    for sub in subs:
        await client.send(subscribe_text(sub))
        echo = json.loads(await client.recv())
        assert echo["channel"] == "subscriptionResponse"
        assert acknowledged(echo["data"]["subscription"]) == sub
    return client


def run(coroutine: Any) -> Any:
    """Run with a time limit."""
    return asyncio.run(asyncio.wait_for(coroutine, 15))


def test_tape_is_played_whole_after_the_last_subscription() -> None:
    async def scenario() -> None:
        sent = [*frames(300), (0, b'{"channel":"lotus.control","data":{}}'), (1, b'{"channel":"pong"}')]
        async with ReplayServer(UNIVERSE, sent) as server:
            client = await enter(server.url)
            got = [await client.recv(decode=False) for _ in range(301)]
            assert got == [raw for _, raw in sent if b"lotus.control" not in raw]
            await client.send(PING_TEXT)
            assert json.loads(await client.recv()) == {"channel": "pong"}
            assert server.finished.is_set()
            await client.close()

    run(scenario())


def test_unknown_type_is_an_error_frame_and_unknown_coin_closes_the_socket() -> None:
    async def scenario() -> None:
        async with ReplayServer(UNIVERSE, []) as server:
            client = await connect(server.url, proxy=None)
            await client.recv()
            for text, error in (
                ('{"method":"subscribe","subscription":{"type":"weather"}}', "Invalid subscription"),
                ("hello", "Error parsing JSON"),
                ('{"method":"post","id":1}', "Error parsing JSON"),
                (unsubscribe_text(Subscription("bbo", "BTC")), "Already unsubscribed"),
            ):
                await client.send(text)
                answer = json.loads(await client.recv())
                assert answer["channel"] == "error"
                assert answer["data"].startswith(error)
            for _ in range(2):
                await client.send(subscribe_text(Subscription("bbo", "BTC")))
                last = json.loads(await client.recv())
            assert last["data"].startswith("Already subscribed")
            await client.send(subscribe_text(Subscription("bbo", "NOPE")))
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd is None

    run(scenario())


def test_meta_is_served_on_the_same_port_and_guards_the_universe() -> None:
    async def scenario() -> None:
        async with ReplayServer(UNIVERSE, []) as server:
            info = InfoClient(http_base(server.url))
            listed = await asyncio.to_thread(info.meta)
            assert listed == {a.name: a for a in UNIVERSE}
            require_listed(UNIVERSE, listed)
            with pytest.raises(VenueError, match="DOGE"):
                require_listed([Asset("DOGE", 0)], listed)
            with pytest.raises(VenueError, match="size decimals"):
                require_listed([Asset("BTC", 3)], listed)
            with pytest.raises(VenueError, match="422"):
                await asyncio.to_thread(info.request, {"type": "nothing"})

    run(scenario())


def test_a_drop_loses_nothing_and_the_tape_goes_on_with_replayed_trades() -> None:
    async def scenario() -> None:
        tape = [(i, trade(i)) for i in range(50)]
        plan = ReplayPlan(drop_before=frozenset({40}), resend_trades=True)
        async with ReplayServer(UNIVERSE, tape, plan) as server:
            client = await enter(server.url)
            got = [await client.recv(decode=False) for _ in range(40)]
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert got == [raw for _, raw in tape[:40]]
            client = await connect(server.url, proxy=None)
            await client.recv()
            for sub in universe_subscriptions(a.name for a in UNIVERSE):
                await client.send(subscribe_text(sub))
            received = [json.loads(await client.recv()) for _ in range(10 + 1 + 10)]
            trades = [m["data"] for m in received if m["channel"] == "trades"]
            assert [t["tid"] for t in trades[0]] == list(range(10, 40))
            assert [t[0]["tid"] for t in trades[1:]] == list(range(40, 50))
            await client.close()

    run(scenario())


def test_speed_follows_the_recorded_stamps() -> None:
    async def scenario() -> None:
        tape = [(i * 100_000_000, bbo(i)) for i in range(6)]
        async with ReplayServer(UNIVERSE, tape, ReplayPlan(speed=5.0)) as server:
            client = await enter(server.url)
            start = asyncio.get_running_loop().time()
            for _ in tape:
                await client.recv()
            assert 0.09 <= asyncio.get_running_loop().time() - start < 1.0
            await client.close()

    run(scenario())


def test_silence_keeps_the_socket_and_answers_pings() -> None:
    async def scenario() -> None:
        async with ReplayServer(UNIVERSE, frames(10), ReplayPlan(silent_from=3)) as server:
            client = await enter(server.url)
            for _ in range(3):
                await client.recv()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.recv(), 0.1)
            await client.send(PING_TEXT)
            assert json.loads(await client.recv()) == {"channel": "pong"}
            await client.close()

    run(scenario())


def test_a_silent_channel_is_left_out() -> None:
    async def scenario() -> None:
        tape = [(1, bbo(1)), (2, trade(1)), (3, bbo(2))]
        async with ReplayServer(UNIVERSE, tape, ReplayPlan(silent_channels=frozenset({"bbo"}))) as server:
            client = await enter(server.url)
            assert await client.recv(decode=False) == tape[1][1]
            await asyncio.wait_for(server.finished.wait(), 5)
            assert server.sent == 1
            await client.close()

    run(scenario())


def test_routes_and_addresses() -> None:
    assert route(b'{"channel":"l2Book","data":{"levels":[],"coin":"ETH","fast":true}}') == ("l2Book", "ETH", True)
    assert route(b'{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{}}}') == ("activeAssetCtx", "BTC", False)
    assert route(b'{"channel":"pong"}') == ("pong", "", False)
    assert route(GREETING.encode()) == ("", "", False)
    with pytest.raises(VenueError):
        http_base("ftp://example")
