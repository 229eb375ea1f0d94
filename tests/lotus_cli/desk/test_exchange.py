"""`lotus exchange`: a process of its own over a simulated day or a recording, traded on by the official SDK."""

import gzip
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import eth_account
import pytest
import requests
from click.testing import CliRunner
from hyperliquid.exchange import Exchange
from hyperliquid.info import Info
from small_home import Cli

from lotus_cli.main import main
from lotus_live.feed.tape_file import TapeFile
from lotus_store.tape.store import TapeStore
from lotus_venues.local_exchange.frames import book_frame

pytestmark = pytest.mark.process("in the home that `lotus demo` makes")

KEY = "0x" + "33" * 32
UNITS = {"BTC": 5, "ETH": 4}
MARKET = (b'{"channel":"bbo"', b'{"channel":"l2Book"', b'{"channel":"trades"', b'{"channel":"activeAssetCtx"')
T0 = 1_767_600_000_000  # 08:00 of the first day of a world


@contextmanager
def running(*words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the exchange; yield its address and process."""
    command = [sys.executable, "-m", "lotus_cli", "exchange", "--port", "0", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            line = server.stderr.readline()
            found = re.search(r"exchange at (\S+);", line)
            assert found is not None, line + server.stderr.read()
            yield found[1], server
        finally:
            server.kill()


def control(url: str, body: dict[str, Any]) -> Any:
    """Ask the control endpoint."""
    return requests.post(f"{url}/lotus", json=body, timeout=60).json()


@pytest.mark.process("`lotus exchange` as a process, the SDK as client")
def test_the_sdk_trades_a_simulated_day() -> None:
    wallet = eth_account.Account.from_key(KEY)
    with running("--speed", "manual", "--account", f"{wallet.address}=5000", "--deposit", "0") as (url, server):
        start = T0 + 13 * 86_400_000  # 08:00 of the last day
        assert control(url, {"type": "advance", "toMs": start + 20_000})["played"] > 100
        info = Info(url, skip_ws=True, timeout=20)
        assert set(info.all_mids()) == {"BTC", "ETH", "SOL"}
        client = Exchange(wallet, url, timeout=20)
        (status,) = client.market_open("SOL", True, 1.0)["response"]["data"]["statuses"]
        assert status["filled"]["totalSz"] == "1.0"
        position = info.user_state(wallet.address)["assetPositions"][0]["position"]
        assert (position["coin"], position["szi"]) == ("SOL", "1.0")
        server.send_signal(signal.SIGINT)
        assert server.stdout is not None
        counts = json.loads(server.stdout.read())
        assert counts["played"] > 100
        assert float(counts["feesUsd"]) > 0
        assert server.wait(10) == 0


def test_a_recording_with_faults(tmp_path: Path) -> None:
    recording = tmp_path / "three.txt"
    books = [book_frame("BTC", T0 + i, [("100000.0", "1.0")], [("100001.0", f"{i + 1}.00001")]) for i in range(3)]
    recording.write_bytes(b"".join(b"%d %s\n" % ((T0 + i) * 1_000_000, raw) for i, raw in enumerate(books)))
    faults = tmp_path / "faults.json"
    faults.write_text('[{"kind": "error_before", "on": "info:meta", "at": [1]}]')
    with running("--tape", str(recording), "--speed", "max", "--faults", str(faults)) as (url, _):
        answers = [requests.post(f"{url}/info", json={"type": "meta"}, timeout=20) for _ in range(2)]
        assert [a.status_code for a in answers] == [502, 200]
        assert [row["name"] for row in answers[1].json()["universe"]] == ["BTC"]
        book = requests.post(f"{url}/info", json={"type": "l2Book", "coin": "BTC"}, timeout=20).json()
        assert book["levels"][1][0]["sz"] == "3.00001"


def test_a_damaged_recording_ends_it_with_its_reason(tmp_path: Path) -> None:
    recording = tmp_path / "bad.gz"
    good = b"%d %s\n" % (T0 * 1_000_000, book_frame("BTC", T0, [("100000.0", "1.0")], [("100001.0", "1.00001")]))
    recording.write_bytes(gzip.compress(good * 50)[:-20])
    command = [sys.executable, "-m", "lotus_cli", "exchange", "--port", "0", "--tape", str(recording)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "bad.gz ends in the middle of its compressed stream; expected: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--account", "0x12=5"], 2),
        (["--account", "0x" + "1" * 40 + "=much"], 2),
        (["--speed", "-1"], 2),
        (["--tape", __file__, "--world", "demo"], 2),
        (["--faults", "nowhere.json"], 3),
        (["--faults", '[{"kind": "flood"}]'], 3),
        (["--day", "2020-01-01"], 3),
    ],
)
def test_wrong_options(words: list[str], code: int) -> None:
    done = CliRunner().invoke(main, ["exchange", *words])
    assert done.exit_code == code
    assert "Traceback" not in done.output


@pytest.mark.process("`lotus exchange` and `lotus record` as processes")
def test_a_recorder_stores_what_the_tape_holds(lotus: Cli, segment: Path) -> None:
    coins = ", ".join(f'{{ name = "{name}", sz_decimals = {decimals} }}' for name, decimals in UNITS.items())
    config = lotus.home / "exchange.toml"
    config.write_text(f"[universe]\nassets = [{coins}]\n")
    channels = 5 * len(UNITS)
    with running("--tape", str(segment), "--speed", "max", "--start-after", str(channels)) as (url, _):
        ws_url = "ws" + url.removeprefix("http") + "/ws"
        words = ("record", "--url", ws_url, "--tape", "exchanged", "--seconds", "6")
        done = lotus.json(*words, LOTUS_CONFIG=str(config))
        played = control(url, {"type": "counts"})["played"]
    sent = [line.raw for line in TapeFile((segment,)).arrivals()]
    store = TapeStore(lotus.home, "exchanged")
    pieces = [piece.lines for day in store.days() for piece in store.read_day_lines(day)]
    kept = [line.partition(b" ")[2] for piece in pieces for line in piece.split(b"\n")[:-1]]
    assert played == len(sent)
    assert [frame for frame in kept if frame.startswith(MARKET)] == [
        frame for frame in sent if frame.startswith(MARKET)
    ]
    assert done["connects"] == 1
