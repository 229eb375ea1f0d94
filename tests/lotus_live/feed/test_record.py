"""Recording a websocket into a tape, and serving a recording to any client."""

import asyncio
import json
import re
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tapes import UNIVERSE, in_order, market, write
from websockets.sync.client import connect

from lotus.errors import ConfigError, TapeError, VenueError
from lotus.manifest import Asset
from lotus_live.feed.record import run_record, serve_recording
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals.segments import read_segments
from lotus_store.tape.shards.plan import Shard
from lotus_store.tape.store import TapeStore
from lotus_venues.hyperliquid.subscriptions import Subscription, subscribe_text
from lotus_venues.replay_server import ReplayPlan, ReplayServer


class Served:
    """A replay server in a thread of its own."""

    def __init__(self, frames: list[tuple[int, bytes]], plan: ReplayPlan) -> None:
        """Serve until `close`."""
        self.url, self._ready, self._end = "", threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(frames, plan)))
        self._thread.start()
        self._ready.wait(10)

    async def _serve(self, frames: list[tuple[int, bytes]], plan: ReplayPlan) -> None:
        async with ReplayServer(UNIVERSE, frames, plan) as server:
            self.url = server.url
            self._ready.set()
            while not self._end.is_set():
                await asyncio.sleep(0.02)

    def close(self) -> None:
        """End the thread."""
        self._end.set()
        self._thread.join()


def test_a_recording_holds_every_frame_and_is_in_the_catalogue_and_shared(
    settings: Settings, databases: Databases, tmp_path: Path
) -> None:
    settings = replace(settings, segments_url=str(tmp_path / "shared"))
    frames = in_order(market("2026-03-04", "09:00", 60, step_ms=500))
    served = Served(frames, ReplayPlan(drop_before=frozenset({100})))
    try:
        result = run_record(settings, served.url, seconds=2.5, databases=databases)
    finally:
        served.close()
    store = TapeStore(settings.home, settings.tape)
    lines = [x for day in store.days() for p in store.read_day_lines(day) for x in p.lines.split(b"\n")[:-1]]
    raw = [line.partition(b" ")[2] for line in lines]
    assert [r for r in raw if r.startswith((b'{"channel":"bbo"', b'{"channel":"l2Book"'))] == [
        r for _, r in frames if r.startswith((b'{"channel":"bbo"', b'{"channel":"l2Book"'))
    ]
    assert result.lines == len(lines) == len(frames) + 2 * (1 + 15)
    assert result.connects == 2
    with databases.connect("sig") as connection:
        listed = read_segments(connection, settings.tape)
    assert [s.path for s in listed] == list(result.segments)
    assert sum(s.lines for s in listed) == len(lines)
    assert [a.name for a in store.header().assets] == ["BTC", "ETH", "SOL"]
    shared = tmp_path / "shared" / settings.tape
    for meta in store.all_segments():
        assert (shared / meta.day / f"{meta.file_sha256}.zst").read_bytes() == (store.folder / meta.path).read_bytes()
    assert (shared / "header.json").read_bytes() == (store.folder / "header.json").read_bytes()


def test_shards_of_two_addresses_make_one_tape(settings: Settings, databases: Databases, tmp_path: Path) -> None:
    frames = in_order(market("2026-03-04", "09:00", 60, step_ms=500))
    homes = [replace(settings, home=tmp_path / f"r{k}", segments_url=str(tmp_path / "shared")) for k in range(2)]
    for k, at in enumerate(homes):
        served = Served(frames, ReplayPlan())
        try:
            result = run_record(at, served.url, seconds=1.5, databases=databases, shard=Shard(k, 2))
        finally:
            served.close()
        own = TapeStore(at.home, at.tape).part(f"shard={k}")
        assert [a.name for a in own.header().assets] == ["BTC", "ETH", "SOL"][k::2]
        assert [a.name for a in TapeStore(at.home, at.tape).header().assets] == ["BTC", "ETH", "SOL"]
        coins = {
            coin
            for day in own.days()
            for p in own.read_day_lines(day)
            for coin in re.findall(rb'"coin":"(\w+)"', p.lines)
        }
        assert coins == {name.encode() for name in ("BTC", "ETH", "SOL")[k::2]}
        assert result.lines == sum(meta.lines for meta in own.all_segments())
    with databases.connect("sig") as connection:
        assert [len(read_segments(connection, f"{settings.tape}/shard={k}")) for k in range(2)] == [1, 1]
    shared = sorted(path.name for path in (tmp_path / "shared" / settings.tape).iterdir())
    assert shared == ["header.json", "shard=0", "shard=1", "shards.json"]
    with pytest.raises(TapeError, match="made of 2 shards"):
        run_record(homes[0], "ws://127.0.0.1:1", databases=databases)


def test_more_subscriptions_than_an_address_may_have_are_refused(settings: Settings, databases: Databases) -> None:
    coins = tuple(Asset(f"C{k}", 1) for k in range(500))
    many = replace(settings, manifest=replace(settings.manifest, universe=coins))
    with pytest.raises(ConfigError, match=r"2500 subscriptions of 500 coins; expected: at most 1000"):
        run_record(many, "ws://127.0.0.1:1", databases=databases)
    with pytest.raises(ConfigError, match=r"1250 subscriptions of 250 coins"):
        run_record(many, "ws://127.0.0.1:1", databases=databases, shard=Shard(0, 2))
    assert not TapeStore(settings.home, settings.tape).exists()


def test_unknown_coins_and_another_universe_are_refused(settings: Settings, databases: Databases) -> None:
    served = Served([], ReplayPlan())
    wrong = replace(settings, manifest=replace(settings.manifest, universe=(Asset("NOPE", 1),)))
    try:
        with pytest.raises(VenueError, match="NOPE"):
            run_record(wrong, served.url, databases=databases)
        assert not TapeStore(settings.home, settings.tape).exists()
        run_record(settings, served.url, seconds=0.5, databases=databases)
        with pytest.raises(TapeError, match="universe"):
            run_record(wrong, served.url, databases=databases)
    finally:
        served.close()


def test_a_served_recording_reaches_any_client(tmp_path: Path) -> None:
    frames = in_order(market("2026-03-04", "09:00", 5, step_ms=500))
    path = write(tmp_path / "tape.txt", frames)
    got: list[bytes] = []

    def client(server: ReplayServer) -> None:
        def read() -> None:
            with connect(server.url, proxy=None) as socket:
                socket.recv()
                socket.send(subscribe_text(Subscription("bbo", "BTC")))
                assert json.loads(socket.recv())["channel"] == "subscriptionResponse"
                got.extend(socket.recv(decode=False) for _ in frames)
            loop.call_soon_threadsafe(stop)

        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        stop = task.cancel if task is not None else None
        threading.Thread(target=read).start()

    with pytest.raises(asyncio.CancelledError):
        serve_recording([path], speed=0.0, on_ready=client)
    assert got == [raw for _, raw in frames]
