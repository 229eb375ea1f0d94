"""The live daemon as a resource: start, status, swap, stop; a stranger is not taken for it."""

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lotus.manifest import Manifest
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus_resources.live_daemon import LiveDaemonResource
from lotus_store.config import Settings
from lotus_venues.replay_server import ReplayPlan, ReplayServer

SPEC = WorldSpec("demo", seed=3, days=1, sessions=(("08:00", "08:05"),))


@pytest.fixture
def venue() -> Iterator[str]:
    """A loopback venue that plays five minutes of the simulated market at twice its pace."""
    frames = []
    for _, text in World(SPEC).day_pieces(0):
        for line in text.splitlines():
            stamp, _, raw = line.partition(b" ")
            frames.append((int(stamp), raw))
    urls: list[str] = []
    ready, end = threading.Event(), threading.Event()

    async def serving() -> None:
        async with ReplayServer(Manifest().universe, frames, ReplayPlan(speed=2.0)) as server:
            urls.append(server.url)
            ready.set()
            while not end.is_set():
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(serving()))
    thread.start()
    assert ready.wait(10)
    yield urls[0]
    end.set()
    thread.join(10)


def wait_for(condition: Callable[[], bool], seconds: float = 40.0) -> bool:
    """Return whether a condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@pytest.mark.process("the daemon as a process")
def test_it_starts_takes_a_wake_up_and_stops(settings: Settings, venue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOTUS_PG_DSN", settings.server_dsn)
    daemon = LiveDaemonResource(home=str(settings.home), arguments=[venue])
    started = daemon.start()
    try:
        assert started["running"]
        assert daemon.start()["pid"] == started["pid"]
        assert wait_for(lambda: daemon.status().get("daemon", {}).get("lines", 0) > 100), _log(daemon)
        os.kill(daemon.status()["pid"], signal.SIGHUP)  # asks it to read the priors in force
        time.sleep(0.5)
        assert daemon.status()["running"], _log(daemon)
    finally:
        stopped = daemon.stop()
    assert not stopped["running"]
    assert not daemon.stop()["running"]


def test_the_pid_of_another_process_is_not_the_daemon(settings: Settings) -> None:
    daemon = LiveDaemonResource(home=str(settings.home))
    folder = settings.home / "live"
    folder.mkdir(parents=True)
    (folder / "daemon.json").write_text(json.dumps({"pid": os.getpid(), "born": "1"}))
    assert not daemon.status()["running"]
    (folder / "daemon.json").write_text("half a fi")
    assert not daemon.status()["running"]


def _log(daemon: LiveDaemonResource) -> str:
    return Path(daemon.status()["log"]).read_text()[-2000:]
