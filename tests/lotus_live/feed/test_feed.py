"""The feed over real sockets: it comes back, notices silence, refuses unknown coins and counts oddities."""

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest
import uvloop
from tapes import START, UNIVERSE, frame, spell

from lotus.errors import TapeError, VenueError
from lotus.manifest import Asset
from lotus.microtape.wire.decode import Decoder
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.feed import Feed, FeedPolicy
from lotus_live.feed.wall_clock import WallClock
from lotus_venues.hyperliquid.info import http_base
from lotus_venues.replay_server import ReplayPlan, ReplayServer

BTC = UNIVERSE[:1]
QUICK = FeedPolicy(backoff_first_s=0.01, watch_s=0.02)


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run on the daemon's loop with a time limit."""
    uvloop.run(asyncio.wait_for(coroutine, 20))


def trades(n: int, first_ms: int = 1_000_000) -> list[tuple[int, bytes]]:
    """Return n trades of BTC, one a frame."""
    one = {
        "coin": "BTC",
        "side": "B",
        "px": spell("BTC", START["BTC"]),
        "sz": "1.5",
        "hash": "0x0",
        "users": ["a", "b"],
    }
    return [(k, frame("trades", [one | {"time": first_ms + k, "tid": k}])) for k in range(n)]


def feed_of(server: ReplayServer, lines: list[Arrival], policy: FeedPolicy = QUICK) -> Feed:
    """Return a feed with the wall clock that keeps what it gets."""
    return Feed(server.url, http_base(server.url), server.universe, WallClock(), lines.append, policy)


async def until(condition: Any) -> None:
    """Wait for a condition."""
    while not condition():
        await asyncio.sleep(0.01)


def test_it_comes_back_and_the_thirty_replayed_trades_count_once() -> None:
    async def scenario() -> None:
        lines: list[Arrival] = []
        plan = ReplayPlan(drop_before=frozenset({40, 41, 90}), resend_trades=True)
        async with ReplayServer(BTC, trades(120, time.time_ns() // 1_000_000), plan) as server:
            feed = feed_of(server, lines)
            task = asyncio.create_task(feed.run())
            await until(server.finished.is_set)
            await until(lambda: any(b'"tid":119' in line.raw for line in lines))
            feed.stop()
            await task
        assert feed.counts.connects == 4
        assert feed.counts.acks == 4 * 5
        decoder, prints = Decoder(BTC), 0
        for k, line in enumerate(lines):
            decoded = decoder.decode_line(line.recv_ns, line.raw, k)
            prints += decoded.end // 5 if decoded.kind == 4 else 0
        assert prints == 120
        assert decoder.report().duplicates == 3 * 30
        assert [line.recv_ns for line in lines] == sorted(line.recv_ns for line in lines)

    run(scenario())


def test_a_silent_subscription_is_marked_and_renewed_while_trades_may_be_silent() -> None:
    async def scenario() -> None:
        now = 10**18
        clock = WallClock(lambda: now, lambda: now)
        lines: list[Arrival] = []
        async with ReplayServer(BTC, trades(5), ReplayPlan(silent_from=3)) as server:
            feed = Feed(server.url, "", BTC, clock, lines.append, QUICK)
            task = asyncio.create_task(feed.run())
            await until(lambda: len(lines) >= 5 + 3)
            assert feed.watch.stale == ()
            now += 4_000_000_000
            await until(lambda: feed.watch.stale)
            assert feed.watch.stale == ("l2Book:BTC:fast",)
            now += 2_000_000_000
            await until(lambda: len(feed.watch.stale) == 3)
            now += 7_000_000_000
            await until(lambda: len(feed.watch.stale) == 4)
            assert not [name for name in feed.watch.stale if name.startswith("trades")]
            await until(lambda: feed.counts.acks == 5 + 4)
            assert feed.counts.renewals == 4
            feed.stop()
            await task

    run(scenario())


def test_an_unknown_coin_is_refused_before_anything_is_subscribed() -> None:
    async def scenario() -> None:
        async with ReplayServer(BTC, []) as server:
            wrong = (*BTC, Asset("NOPE", 2))
            feed = Feed(server.url, http_base(server.url), wrong, WallClock(), lambda line: None, QUICK)
            with pytest.raises(VenueError, match="NOPE"):
                await feed.run()
            assert server.connections == 0

    run(scenario())


def test_a_venue_that_is_away_is_tried_again_within_the_limit() -> None:
    async def scenario() -> None:
        async with ReplayServer(BTC, []) as server:
            url = server.url
        policy = FeedPolicy(backoff_first_s=0.001, backoff_most_s=0.001, connects_per_minute=5, connect_timeout_s=1)
        feed = Feed(url, "", BTC, WallClock(), lambda line: None, policy)
        task = asyncio.create_task(feed.run())
        await until(lambda: feed.counts.failures >= 5)
        await asyncio.sleep(0.2)
        assert feed.counts.failures == 5
        feed.stop()
        await task
        assert "Connect" in feed.counts.last_error

    run(scenario())


def test_pings_are_answered_and_errors_are_counted() -> None:
    async def scenario() -> None:
        lines: list[Arrival] = []
        error = frame("error", "Invalid subscription {}")
        async with ReplayServer(BTC, [(1, error), (2, b"odd text"), (3, b'{"channel":"pong')]) as server:
            feed = feed_of(server, lines, FeedPolicy(ping_s=0.05, watch_s=0.02))
            task = asyncio.create_task(feed.run())
            await until(lambda: feed.counts.pongs >= 2 and len(lines) >= 3)
            feed.stop()
            await task
        assert feed.counts.errors == 1
        assert feed.counts.odd_frames == 1
        assert feed.counts.last_error == "Invalid subscription {}"
        assert feed.unacknowledged == ()
        assert feed.counts.frames == len(lines)

    run(scenario())


def test_what_a_handler_raises_ends_the_feed() -> None:
    def full(line: Arrival) -> None:
        raise TapeError("0.1 GB free")

    async def scenario() -> None:
        async with ReplayServer(BTC, trades(3)) as server:
            with pytest.raises(TapeError, match="free"):
                await Feed(server.url, "", BTC, WallClock(), full, QUICK).run()

    run(scenario())


def test_a_spinning_feed_hands_on_the_same_lines_lets_others_run_and_comes_to_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At rest nobody takes a turn of the loop any more, neither the lost connection's spin nor the last one's."""
    turns, connected = [0], [0]
    spin = Feed._spin

    def counted(feed: Feed, *where: Any) -> None:
        turns[0] += 1
        spin(feed, *where)

    monkeypatch.setattr(Feed, "_spin", counted)
    first_ms = time.time_ns() // 1_000_000

    async def heard(spin: bool) -> list[bytes]:
        lines: list[Arrival] = []
        async with ReplayServer(BTC, trades(60, first_ms), ReplayPlan(drop_before=frozenset({20}))) as server:
            feed = feed_of(server, lines, replace(QUICK, spin=spin))
            task = asyncio.create_task(feed.run())
            await until(lambda: any(b'"tid":59' in line.raw for line in lines))
            before = turns[0]
            for _ in range(100):
                await asyncio.sleep(0)
            connected[0] = turns[0] - before
            feed.stop()
            await task
        assert feed.counts.connects == 2
        return [line.raw for line in lines if b'"tid"' in line.raw]

    async def scenario() -> None:
        calm = await heard(spin=False)
        assert turns == [0]
        assert await heard(spin=True) == calm
        assert connected[0] >= 99, "it takes every turn of the loop"
        await asyncio.sleep(0)
        rest = turns[0]
        for _ in range(100):
            await asyncio.sleep(0)
        assert turns[0] == rest

    run(scenario())
