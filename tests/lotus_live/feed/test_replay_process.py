"""A replay served by a process of its own: the same frames, an end that is heard, no orphan."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from tapes import MANIFEST, UNIVERSE, in_order, market, write
from websockets.asyncio.client import connect

from lotus.errors import LotusError
from lotus_live.feed import replay_process
from lotus_live.feed.replay_process import served
from lotus_live.feed.tape_file import TapeFile
from lotus_live.live import run_live
from lotus_store.config import Settings
from lotus_venues.replay_server import ReplayPlan


@pytest.fixture
def tape(tmp_path: Path) -> TapeFile:
    """A minute of three assets."""
    return TapeFile((write(tmp_path / "tape.txt", in_order(market("2026-03-04", "09:00", 60, step_ms=500, seed=3))),))


@pytest.mark.process("the daemon and the process that plays to it")
def test_both_ways_of_serving_give_the_same_events(
    tape: TapeFile, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = run_live(settings, tape.paths, run_id="here")
    monkeypatch.setattr(replay_process, "OWN_BYTES", 0)
    apart = run_live(settings, tape.paths, run_id="apart")
    assert apart.events_hash == here.events_hash
    assert apart.status["lines"] == here.status["lines"] > 100


@pytest.mark.process("a process that plays a recording, killed")
def test_its_end_is_heard(tape: TapeFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_process, "OWN_BYTES", 0)
    assert {a.name for a in tape.universe} <= {a.name for a in (*UNIVERSE, *MANIFEST.universe)}

    async def play() -> LotusError:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[LotusError] = loop.create_future()
        async with served(tape, 0, tape.universe, ReplayPlan(), ended.set_result) as url:
            async with connect(url, compression=None, proxy=None) as client:
                assert await client.recv()
            children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
            (child,) = (one for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes())
            os.kill(int(child), signal.SIGKILL)
            return await asyncio.wait_for(ended, 20)

    assert "ended" in str(asyncio.run(play()))
