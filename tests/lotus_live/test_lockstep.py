"""The tape of a traded replay waits for what it caused, once a second, and no longer than it must."""

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from lotus.timebase import NS_PER_MS
from lotus_live import lockstep
from lotus_live.feed.clocks import Arrival, ReplayClock
from lotus_live.lockstep import Lockstep
from lotus_venues.local_exchange.frames import bbo_frame

SECOND_NS = 1_000_000_000
LATENCY_NS = 250 * NS_PER_MS


class World:
    """A daemon and its desk as the barrier sees them; `seen` counts what was asked of them."""

    def __init__(self, stamps: list[int], sends: bool = False) -> None:
        """Stand before the first of lines with these stamps (ns)."""
        self.seen: Counter[str] = Counter()
        self.sends = sends
        self.left = [3]  # messages of a pass, pass after pass
        self.lines = [Arrival(stamp, -1, b"line %d" % stamp) for stamp in stamps]
        self.clock = ReplayClock(self.lines)
        desk = SimpleNamespace(
            recovered=True, is_idle=True, venues={}, show_markets=self.count("markets"), idle=self.idle,
            counts=SimpleNamespace(finished=0), look_at_accounts=self.counted("accounts"),
        )  # fmt: skip
        market = SimpleNamespace(now_ms=lambda: self.clock.last_ns // NS_PER_MS)
        rebalancer = SimpleNamespace(window=self.window, over=self.counted("over"))
        self.trading = SimpleNamespace(desk=desk, market=market, rebalancer=rebalancer)
        taker = SimpleNamespace(
            counts=SimpleNamespace(published=0, ends=0), last_window_end_ms=0, trading=self.trading,
            hand_over=self.count("handed over"), last_ns=0, rows=SimpleNamespace(scored=[]),
        )  # fmt: skip
        supervisor = SimpleNamespace(herald=SimpleNamespace(turn=self.turn))
        tape = SimpleNamespace(recorder=SimpleNamespace(flush=self.count("flushed")))
        log = SimpleNamespace(is_idle=True)
        self.daemon: Any = SimpleNamespace(taker=taker, log=log, supervisor=supervisor, tape=tape)
        self.step = Lockstep(self.daemon, self.clock, LATENCY_NS, 5 * SECOND_NS)

    async def idle(self) -> None:
        """Wait until the desk is idle."""
        while not self.trading.desk.is_idle:
            await asyncio.sleep(0.001)

    def count(self, what: str) -> Any:
        """Return what counts its calls."""
        return lambda: self.seen.update([what])

    def counted(self, what: str) -> Any:
        """Return the same as a coroutine function."""

        async def asked() -> None:
            self.seen[what] += 1

        return asked

    def window(self, end_ms: int) -> bool:
        """Decide for a window."""
        self.seen["window"] += 1
        return self.sends

    def turn(self, _: Any) -> tuple[Any, dict[str, Any]]:
        """Carry what is left."""
        self.seen["turn"] += 1
        return SimpleNamespace(total=self.left.pop() if self.left else 0), {}

    def give(self, line: Arrival) -> None:
        """Let the daemon take a line."""
        self.clock.accept(line.raw)
        self.daemon.taker.last_ns = line.recv_ns

    def close_window(self, end_ns: int) -> None:
        """Let the line taken last have closed a window, and published it."""
        self.daemon.taker.counts.ends += 1
        self.daemon.taker.counts.published += 1
        self.daemon.taker.last_window_end_ms = end_ns // NS_PER_MS


def test_barriers_stand_at_the_latency_past_each_second() -> None:
    world = World([0, 10 * SECOND_NS])
    world.daemon.taker.last_window_end_ms = 10_000

    async def run() -> list[int]:
        first = await world.step.hold(0)
        world.give(world.lines[0])
        return [first, *[await world.step.hold(at) for at in (1, LATENCY_NS, 1_200 * NS_PER_MS, 1_250 * NS_PER_MS)]]

    later = [LATENCY_NS, SECOND_NS + LATENCY_NS, SECOND_NS + LATENCY_NS, 2 * SECOND_NS + LATENCY_NS]
    assert asyncio.run(run()) == [1, *later]
    assert world.seen["markets"] == 3
    assert world.seen["handed over"] == world.seen["flushed"] == 0, "nothing was published, nothing is due"


def test_after_a_window_s_end_each_line_is_looked_at_until_one_closed_it_and_the_latency_begins_there() -> None:
    end = 5 * SECOND_NS
    stamps = [0, end + 10, end + 30, end + 900 * NS_PER_MS]
    world = World(stamps)

    async def run() -> list[int]:
        found = [await world.step.hold(0)]
        world.give(world.lines[0])
        found.append(await world.step.hold(stamps[1]))
        world.give(world.lines[1])
        found.append(await world.step.hold(stamps[2]))
        assert world.seen["window"] == 0
        world.give(world.lines[2])
        world.close_window(end)
        found.append(await world.step.hold(stamps[2] + 5))
        assert world.seen["window"] == 0, "before the latency nothing leaves"
        found.append(await world.step.hold(stamps[3]))
        return found

    assert asyncio.run(run())[1:4] == [stamps[1] + 1, stamps[2] + 1, stamps[2] + LATENCY_NS]
    assert world.seen["window"] == 1


def test_rows_are_handed_over_with_what_is_published_or_when_they_are_many() -> None:
    world = World([0, 60 * SECOND_NS])

    async def run() -> list[int]:
        await world.step.hold(0)
        world.give(world.lines[0])
        found = []
        for rows, published in ((5, 0), (5, 1), (lockstep.MOST_ROWS, 1)):
            world.daemon.taker.rows.scored = [None] * rows
            world.daemon.taker.counts.published = published
            await world.step.hold((len(found) + 2) * SECOND_NS)
            found.append(world.seen["handed over"])
        return found

    assert asyncio.run(run()) == [0, 1, 2]


def test_reports_are_carried_before_the_next_window_is_decided() -> None:
    world = World([0, 60 * SECOND_NS])
    world.left = []

    async def run() -> list[int]:
        await world.step.hold(0)
        world.give(world.lines[0])
        world.trading.desk.counts.finished = 1
        found = []
        for end_ns in (0, SECOND_NS, 2 * SECOND_NS):
            world.daemon.taker.counts.ends = end_ns // SECOND_NS
            await world.step.hold(end_ns + 2 * SECOND_NS)
            found.append(world.seen["turn"])
        return found

    assert asyncio.run(run()) == [0, 1, 1]


def test_the_tape_is_with_the_operating_system_before_an_order_leaves() -> None:
    world = World([0, SECOND_NS])
    flushed: list[bool] = []
    world.daemon.tape.recorder.flush = lambda: flushed.append(world.trading.desk.is_idle)

    async def run() -> None:
        await world.step.hold(0)
        world.give(world.lines[0])
        world.trading.desk.is_idle = False
        waiting = asyncio.ensure_future(world.step.hold(SECOND_NS))
        await asyncio.sleep(0.02)
        assert flushed == [False]
        assert not waiting.done()
        world.trading.desk.is_idle = True
        await waiting

    asyncio.run(run())


def test_a_window_that_nothing_closes_is_looked_for_no_longer_than_two_seconds() -> None:
    world = World([0, 60 * SECOND_NS])

    async def run() -> int:
        await world.step.hold(0)
        world.give(world.lines[0])
        return await world.step.hold(8 * SECOND_NS)

    assert asyncio.run(run()) == 8 * SECOND_NS + LATENCY_NS


def test_the_tape_stands_until_the_daemon_took_its_lines() -> None:
    world = World([0, SECOND_NS, 2 * SECOND_NS])

    async def run() -> None:
        await world.step.hold(0)
        world.give(world.lines[0])
        waiting = asyncio.ensure_future(world.step.hold(2 * SECOND_NS))
        await asyncio.sleep(0.02)
        assert not waiting.done(), "the second line is on its way"
        world.give(world.lines[1])
        async with asyncio.timeout(1.0):
            await waiting

    asyncio.run(run())
    assert world.seen["markets"] == 1


def test_what_was_published_is_written_and_carried_to_the_last_message_before_the_book_is_decided() -> None:
    world = World([0, SECOND_NS])
    order: list[str] = []
    world.daemon.supervisor.herald.turn = lambda modules: (order.append("turn"), world.turn(modules))[1]
    world.trading.rebalancer.window = lambda end_ms: (order.append("book"), world.window(end_ms))[1]

    async def run() -> None:
        await world.step.hold(0)
        world.give(world.lines[0])
        world.close_window(0)
        world.daemon.log.is_idle = False
        waiting = asyncio.ensure_future(world.step.hold(SECOND_NS))
        await asyncio.sleep(0.02)
        assert order == [], "nothing is carried before the log is written"
        world.daemon.log.is_idle = True
        await waiting
        await world.step.hold(SECOND_NS)

    asyncio.run(run())
    assert order == ["turn", "book"], "nothing twice"


def test_what_does_not_end_is_left_behind_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lockstep, "PATIENCE_S", 0.05)
    world = World([0, SECOND_NS])
    world.trading.desk.is_idle = False

    async def run() -> None:
        await world.step.hold(0)
        world.give(world.lines[0])
        await world.step.hold(SECOND_NS)
        await world.step.hold(2 * SECOND_NS)

    asyncio.run(run())
    assert world.step.given_up == 2
    assert caplog.text.count("was not over within") == 1


def test_an_exchange_asks_before_it_plays_on() -> None:
    from lotus.manifest import Asset
    from lotus_venues.local_exchange.options import Options
    from lotus_venues.local_exchange.web.server import LocalExchange

    asked: list[int] = []
    prices = [("100000.0", "1.0")], [("100001.0", "1.0")]
    lines = [(at * NS_PER_MS, bbo_frame("BTC", at, prices[0][0], prices[1][0])) for at in (1_000, 1_100, 2_000, 3_000)]

    async def hold(next_ns: int) -> int:
        asked.append(next_ns // NS_PER_MS)
        return next_ns + 500 * NS_PER_MS

    async def run() -> None:
        async with LocalExchange([Asset("BTC", 5)], lines, options=Options(speed=0.0, hold=hold)) as exchange:
            async with asyncio.timeout(5.0):
                await exchange.tape_over.wait()

    asyncio.run(run())
    assert asked == [1_000, 2_000, 3_000]
