"""One life of a daemon that records a paced tape and writes control records; may kill its own process in the middle."""

import asyncio
import os
import signal
import sys
from itertools import islice
from pathlib import Path

from tapes import MANIFEST, UNIVERSE, trial_text

from lotus.detectors.registry import shipped_detectors
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus_live.daemon import Daemon
from lotus_live.feed.clocks import Arrival, ReplayClock
from lotus_live.feed.feed import Feed
from lotus_live.feed.tape_file import TapeFile
from lotus_live.live import make_daemon
from lotus_live.parity import QUIET
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.warm_up import warm_up
from lotus_live.run_context import RunContext
from lotus_store.config import Settings, load_settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals import live_log
from lotus_store.tape.header import TapeHeader
from lotus_store.tape.store import TapeStore
from lotus_venues.hyperliquid.info import http_base
from lotus_venues.hyperliquid.subscriptions import universe_subscriptions
from lotus_venues.replay_server import ReplayPlan, ReplayServer

RUN = "tried"
SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
COMMANDS = (["signal: ["], [trial_text("slow", 150)])


def recorded(store: TapeStore) -> list[tuple[int, bytes]]:
    """Return the lines of a tape."""
    text = b"".join(piece.lines for day in store.days() for piece in store.read_day_lines(day))
    parts = [line.partition(b" ") for line in text.split(b"\n")[:-1]]
    return [(int(stamp), raw) for stamp, _, raw in parts]


async def life(settings: Settings, databases: Databases, tape: TapeFile, speed: float, killed: bool) -> Daemon:
    """Take what the daemon's own tape does not hold of the recording yet."""
    warm_up(SPEC)
    store = TapeStore(settings.home, RUN)
    header = TapeHeader(RUN, "paced", tape.units, (), "test")
    daemon = make_daemon(RunContext(settings, databases, SPEC, RUN), store, header)
    had = recorded(store) if store.exists() else []
    done = sum(not raw.startswith(CONTROL_PREFIX) for _, raw in had)
    daemon.taker.restore(had[-1][0] if had else 0)
    plan = ReplayPlan(speed=speed, start_after=len(universe_subscriptions(a.name for a in UNIVERSE)))
    frames = ((line.recv_ns, line.raw) for line in islice(tape.arrivals(), done, None))
    clock = ReplayClock(Arrival(a.recv_ns, -1, a.raw) for a in islice(tape.arrivals(), done, None))  # as they come live
    async with ReplayServer(UNIVERSE, frames, plan) as server:
        feed = Feed(server.url, http_base(server.url), UNIVERSE, clock, daemon.taker.on_line, QUIET)
        watching = asyncio.create_task(swap_and_die(daemon, databases)) if killed else None
        await daemon.run(feed)
    assert watching is None
    return daemon


async def swap_and_die(daemon: Daemon, databases: Databases) -> None:
    """Command a set that cannot be read, then a trial; kill the process when the trial has run for a while."""
    while daemon.taker.counts.windows < 100:
        await asyncio.sleep(0.01)
    with databases.connect("sig") as connection:
        for texts in COMMANDS:
            live_log.command(connection, "swap_detectors", {"detectors": texts})
    while not daemon.taker.pipeline.shadows:
        await asyncio.sleep(0.01)
    enough = daemon.taker.counts.windows + 60
    while daemon.taker.counts.windows < enough:
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


def main(home: str, recording: str) -> None:
    """Begin the recording and be killed in the middle."""
    settings = load_settings(home)
    with Databases(settings) as databases:
        asyncio.run(life(settings, databases, TapeFile((Path(recording),)), 120.0, True))


if __name__ == "__main__":
    main(*sys.argv[1:])
