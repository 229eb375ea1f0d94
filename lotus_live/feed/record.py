"""Recording without scoring (`lotus record`) and serving a recording as the venue would (`lotus replay`).

The recorder is the daemon's; closed segments are listed in the ledger by the same writer thread. No pipeline here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from lotus.errors import ConfigError, TapeError
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.feed import Feed, FeedPolicy
from lotus_live.feed.recorder import Recorder, tape_header
from lotus_live.feed.tape_file import TapeFile
from lotus_live.feed.wall_clock import WallClock, step_text
from lotus_live.reports.event_log import EventLog, LogBatch
from lotus_live.signals import on_end_signals
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.tape.header import HeaderAsset
from lotus_store.tape.segment import SegmentMeta
from lotus_store.tape.shards.plan import Shard
from lotus_store.tape.store import TapeStore
from lotus_venues.hyperliquid.info import http_base
from lotus_venues.hyperliquid.subscriptions import MOST_SUBSCRIPTIONS, universe_subscriptions
from lotus_venues.replay_server import ReplayPlan, ReplayServer

logger = logging.getLogger(__name__)

FLUSH_S = 0.25
SYNC_S = 5.0


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What was recorded: lines, closed segments, connections made, lines salvaged from a dead writer."""

    lines: int
    segments: tuple[str, ...]
    connects: int
    salvaged: int
    stale: dict[str, int]


def run_record(
    settings: Settings,
    url: str = "",
    *,
    seconds: float = 0.0,
    databases: Databases | None = None,
    on_start: Callable[[Feed], None] | None = None,
    shard: Shard | None = None,
) -> RecordResult:
    """Record a websocket (default: the settings' venue) into the settings' tape, for `seconds` or until a signal.

    Of a `shard` only its coins, into its part of the tape. Raises `VenueError` for unknown coins, `TapeError` on a full
    disk (everything before it is stored), `ConfigError` for more subscriptions than the venue lets one address have.
    """
    if databases is not None:
        return uvloop.run(_record(settings, url or settings.live.ws_url, seconds, databases, on_start, shard))
    with Databases(settings) as own:
        return uvloop.run(_record(settings, url or settings.live.ws_url, seconds, own, on_start, shard))


async def _record(
    settings: Settings,
    url: str,
    seconds: float,
    databases: Databases,
    on_start: Callable[[Feed], None] | None,
    shard: Shard | None,
) -> RecordResult:
    universe = settings.manifest.universe
    coins = universe if shard is None else shard.of(universe)
    if (count := len(universe_subscriptions(asset.name for asset in coins))) > MOST_SUBSCRIPTIONS:
        cause = "a universe for several addresses: lotus record --shard K/N on each"
        expected = f"at most {MOST_SUBSCRIPTIONS}, which the venue lets one address have"
        raise ConfigError(f"{count} subscriptions of {len(coins)} coins", expected, cause)
    rest_url = settings.live.rest_url if url == settings.live.ws_url else http_base(url)
    header = tape_header(settings.tape, url, tuple(HeaderAsset(a.name, a.sz_decimals) for a in universe))
    closed: list[SegmentMeta] = []
    names: list[str] = []
    store = TapeStore(settings.home, settings.tape, settings.segments_url)
    recorder = Recorder(store, header, settings.limits, closed.append, shard)
    clock = WallClock()

    def take(line: Arrival) -> None:
        recorder.line(line)

    feed = Feed(
        url=url,
        rest_url=rest_url,
        universe=coins,
        clock=clock,
        on_line=take,
        policy=FeedPolicy(ping_s=settings.live.ping_s, renew_after_s=settings.live.stale_s),
    )
    on_end_signals(lambda name: feed.stop())
    if seconds > 0:
        asyncio.get_running_loop().call_later(seconds, feed.stop)
    if on_start is not None:
        on_start(feed)
    step = "" if shard is None else f"-{shard.step}"
    log = EventLog(databases, f"record.{settings.tape}{step}", settings.home / "live" / f"recorded{step}.json")
    housekeeping = asyncio.create_task(_keep(recorder, clock, feed, closed, names, log))
    try:
        await feed.run()
    finally:
        housekeeping.cancel()
        with suppress(asyncio.CancelledError):
            await housekeeping
        recorder.close()
        _list_closed(closed, names, log, clock.now_ns())
        await asyncio.to_thread(log.close)
    return RecordResult(recorder.lines, tuple(names), feed.counts.connects, recorder.salvaged, feed.watch.total)


async def _keep(
    recorder: Recorder, clock: WallClock, feed: Feed, closed: list[SegmentMeta], names: list[str], log: EventLog
) -> None:
    synced_s, reported = time.monotonic(), 0
    while True:
        await asyncio.sleep(FLUSH_S)
        try:
            if time.monotonic() - synced_s >= SYNC_S:
                synced_s = time.monotonic()
                recorder.sync(clock.now_ns())
            else:
                recorder.flush()
        except TapeError as error:
            feed.failed(error)
            return
        _list_closed(closed, names, log, clock.now_ns())
        for moved_ms in clock.steps[reported:]:
            logger.warning("%s", step_text(moved_ms))
        reported = len(clock.steps)


def _list_closed(closed: list[SegmentMeta], names: list[str], log: EventLog, now_ns: int) -> None:
    if closed:
        names += [meta.path for meta in closed]
        log.put(LogBatch(now_ns, segments=tuple(closed)))
        closed.clear()


def serve_recording(
    paths: Sequence[Path], *, port: int = 0, speed: float = 1.0, on_ready: Callable[[ReplayServer], Any] | None = None
) -> int:
    """Serve recordings over a loopback websocket until a signal; return the number of frames sent.

    The tape starts when a client has made its first subscription.
    """
    return uvloop.run(_serve(TapeFile(tuple(paths)), port, speed, on_ready))


async def _serve(tape: TapeFile, port: int, speed: float, on_ready: Callable[[ReplayServer], Any] | None) -> int:
    ended = asyncio.Event()
    on_end_signals(lambda name: ended.set())
    plan = ReplayPlan(speed=speed, start_after=1)
    frames = ((line.recv_ns, line.raw) for line in tape.arrivals())
    async with ReplayServer(tape.universe, frames, plan, port) as server:
        if on_ready is not None:
            on_ready(server)
        await ended.wait()
        return server.sent
