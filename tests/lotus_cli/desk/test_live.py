"""`lotus live`, `lotus record`, `lotus replay`: servers in processes of their own, ended by signals as a user would."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_home import Cli, one_object

from lotus.manifest import Asset
from lotus_live.feed.tape_file import TapeFile
from lotus_store.tape.store import TapeStore

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

UNIVERSE = (Asset("BTC", 5), Asset("ETH", 4))
LOTUS = [sys.executable, "-m", "lotus_cli"]
MARKET = (b'{"channel":"bbo"', b'{"channel":"l2Book"', b'{"channel":"trades"', b'{"channel":"activeAssetCtx"')


@contextmanager
def replayed(path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Serve a recording with `lotus replay`; yield its address and process."""
    command = [*LOTUS, "replay", str(path), "--port", "0", "--speed", "max", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            found = re.search(r"serving (\S+);", server.stderr.readline())
            assert found is not None
            yield found[1], server
        finally:
            server.kill()


def two_coins(home: Path) -> Path:
    """Write settings whose universe is that of the demo's world; return their file."""
    config = home / "two-coins.toml"
    coins = ", ".join(f'{{ name = "{a.name}", sz_decimals = {a.sz_decimals} }}' for a in UNIVERSE)
    config.write_text(f"[universe]\nassets = [{coins}]\n")
    return config


def market(lines: list[bytes]) -> list[bytes]:
    """Return the frames that carry the market, in order."""
    return [frame for frame in lines if frame.startswith(MARKET)]


def recorded(store: TapeStore) -> list[bytes]:
    """Return every frame of a tape."""
    pieces = [piece.lines for day in store.days() for piece in store.read_day_lines(day)]
    return [line.partition(b" ")[2] for piece in pieces for line in piece.split(b"\n")[:-1]]


@pytest.mark.process("`lotus replay` and `lotus record` as processes")
def test_a_recorder_of_a_replay_stores_the_same_frames(lotus: Cli, segment: Path) -> None:
    with replayed(segment) as (url, server):
        words = ("record", "--url", url, "--tape", "of-a-replay", "--seconds", "4")
        done = lotus.json(*words, LOTUS_CONFIG=str(two_coins(lotus.home)))
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=20)
    assert server.returncode == 0, err
    assert "Traceback" not in err
    sent = [line.raw for line in TapeFile((segment,)).arrivals()]
    assert one_object(out)["frames_sent"] == len(sent)
    store = TapeStore(lotus.home, "of-a-replay")
    kept = recorded(store)
    assert market(kept) == market(sent)
    assert done["lines"] == len(kept)
    assert done["connects"] == 1
    assert store.header().assets == UNIVERSE


def test_a_replay_runs_live_and_again_ends_in_the_same_events(lotus: Cli, segment: Path) -> None:
    words = ("live", "--replay", segment, "--branch", "demo-11", "--tape", "demo-11")
    first, again = lotus.json(*words), lotus.json(*words)
    assert first["state"] == "stopped"
    assert first["events"] > 0
    assert first["lines"] == again["rebuilt"]
    assert first["events_hash"] == again["events_hash"]
    assert first["published"] == again["published"]


@pytest.mark.process("`lotus live` as a process, ended by a signal")
def test_an_interrupted_daemon_ends_in_order_and_goes_on(lotus: Cli, segment: Path) -> None:
    words = ["live", "--replay", str(segment), "--branch", "demo-11", "--tape", "demo-11", "--run-id", "paused"]
    place = {"LOTUS_HOME": str(lotus.home), "LOTUS_CONFIG": str(lotus.home / "lotus.toml")}
    command = [*LOTUS, *words, "--speed", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=place) as daemon:
        assert daemon.stderr is not None
        assert "daemon paused is up" in daemon.stderr.readline()
        until = time.monotonic() + 30
        while not any(p.stat().st_size for p in (lotus.home / "tape").glob("paused/*/*.open")):
            assert time.monotonic() < until
            time.sleep(0.05)
        daemon.send_signal(signal.SIGINT)
        _, err = daemon.communicate(timeout=60)
    assert daemon.returncode == 0, err
    assert "Traceback" not in err
    rest, whole = lotus.json(*words), lotus.json(*words[:-1], "whole")
    assert rest["rebuilt"] > 0
    assert rest["lines"] > 0
    assert rest["rebuilt"] + rest["lines"] == whole["lines"]
    assert rest["events_hash"] == whole["events_hash"]


def test_record_says_that_the_venue_does_not_answer(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lotus_cli", "record", "--url", "ws://127.0.0.1:9/ws", "--seconds", "2"]
    done = subprocess.run([*command, "--home", str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert "no connection (1)" in done.stderr
    assert "trying again" in done.stderr
