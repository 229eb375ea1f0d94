"""Slow, many and malformed clients at every server that listens: local exchange, replay server, the pages' door.

`servers.py --n N --seed S` opens N connections to each server, which runs as a process with 1,024 file handles: idle,
slow in head or body, endless, garbled, and asking without reading. Meanwhile an honest client asks again and again. A
fault is an honest question without an answer in 5 s, a traceback, more handles or memory than the bounds allow, or
handles not given back. (Literature: slowloris, CWE-400.)
"""

import argparse
import asyncio
import json
import random
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lotus.manifest import Asset
from lotus_resources.pages import AccessMiddleware
from lotus_venues.bounded_http import BACKLOG, BoundedHttp
from lotus_venues.local_exchange.options import Options
from lotus_venues.local_exchange.web.server import LocalExchange
from lotus_venues.replay_server import ReplayServer

KINDS = ("exchange", "replay", "pages")
TOKEN = "token-of-the-campaign"
HANDLES, MOST_HANDLES, MOST_GROWTH_MB, ANSWER_S = 1_024, 256 + 2 * 128 + 16, 512, 5.0
UNIVERSE = (Asset("BTC", 5),)
ATTACKS = ("idle", "slow head", "slow body", "endless head", "endless body", "garbage", "lengths", "unread", "socket")


async def serve(kind: str) -> None:
    """Run one server until killed; its port goes to standard output."""
    if kind == "exchange":
        async with LocalExchange(UNIVERSE, options=Options(limit_scale=0)) as exchange:
            print(exchange.port, flush=True)
            await asyncio.Event().wait()
    elif kind == "replay":
        async with ReplayServer(UNIVERSE, ()) as server:
            print(server.port, flush=True)
            await asyncio.Event().wait()
    else:
        app = Starlette(routes=[Route("/big", lambda request: PlainTextResponse("x" * 1_000_000))])
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            AccessMiddleware(app, port, TOKEN), http=BoundedHttp, backlog=BACKLOG, log_level="error"
        )
        print(port, flush=True)
        await uvicorn.Server(config).serve([listener])


class Served:
    """One server as a process, and what is known of it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.errors = kind, folder / f"{kind}.err"
        with self.errors.open("wb") as sink:
            words = [sys.executable, __file__, "--serve", kind]
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=sink, preexec_fn=_few_handles)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    @property
    def handles(self) -> int:
        """Open file handles."""
        return sum(1 for _ in Path(f"/proc/{self.process.pid}/fd").iterdir())

    @property
    def peak_mb(self) -> float:
        """Largest resident memory so far."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmHWM:")[1].split()[0]) / 1024

    def head(self, more: str = "", target: str = "") -> bytes:
        """Return the head of an honest request, without its last line."""
        what = target or ("GET /big" if self.kind == "pages" else "POST /info")
        bearer = f"Authorization: Bearer {TOKEN}\r\n" if self.kind == "pages" else ""
        return f"{what} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n{bearer}{more}".encode()

    async def ask(self) -> bool:
        """Ask honestly; tell whether the answer came in time."""
        body = b"" if self.kind == "pages" else json.dumps({"type": "meta"}).encode()
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(self.head(f"Content-Length: {len(body)}\r\n\r\n") + body)
                    return b" 200 " in await reader.readline()
                finally:
                    writer.close()
        return False


def _few_handles() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (HANDLES, HANDLES))


class Campaign:
    """Attacks on one server; `faults` are sentences."""

    def __init__(self, served: Served, n: int, seed: int, hold_s: float) -> None:
        self.served, self.n, self.hold_s = served, n, hold_s
        self.rng = random.Random(seed)
        self.figures: Counter[str] = Counter()
        self.faults: list[str] = []

    async def run(self) -> None:
        """Open all connections, ask honestly beside, and look at what is left."""
        served = self.served
        if not await served.ask():
            self.faults.append("no answer before the attack")
        handles, memory = served.handles, served.peak_mb
        ended = asyncio.Event()
        beside = asyncio.create_task(self._ask_on(ended))
        waves = asyncio.Semaphore(200)
        await asyncio.gather(*(self._attack(ATTACKS[k % len(ATTACKS)], waves) for k in range(self.n)))
        ended.set()
        await beside
        deadline = time.monotonic() + 12.0
        while served.handles > handles + 4 and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        told = served.errors.read_text(errors="replace")
        self.figures["megabytes more"] = round(served.peak_mb - memory)
        for fault, what in (
            (served.process.poll() is not None, "the server ended"),
            (served.handles > handles + 4, f"{served.handles - handles} handles were not given back"),
            (self.figures["most handles"] > MOST_HANDLES, f"{self.figures['most handles']} handles"),
            (self.figures["megabytes more"] > MOST_GROWTH_MB, f"{self.figures['megabytes more']} MB more"),
            ("Traceback" in told or "Error" in told or "never retrieved" in told, told[-800:]),
            (not await served.ask(), "no answer after the attack"),
        ):
            if fault:
                self.faults.append(what)

    async def _ask_on(self, ended: asyncio.Event) -> None:
        while not ended.is_set():
            asked = await self.served.ask()
            self.figures["honest answered" if asked else "honest unanswered"] += 1
            if not asked:
                self.faults.append("an honest question without an answer")
            self.figures["most handles"] = max(self.figures["most handles"], self.served.handles)
            await asyncio.sleep(0.05)

    async def _attack(self, kind: str, waves: asyncio.Semaphore) -> None:
        writer = None
        try:
            async with waves:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.served.port)
            async with asyncio.timeout(self.hold_s):
                await self._misbehave(kind, reader, writer)
                await asyncio.sleep(self.hold_s)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self.figures["ended by us" if writer and not writer.is_closing() else "ended by it"] += 1
        finally:
            self.figures[kind] += 1
            if writer is not None:
                writer.transport.abort()

    async def _misbehave(self, kind: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, rng = self.served.head(), self.rng
        match kind:
            case "slow head":
                for k in range(len(head)):
                    writer.write(head[k : k + 1])
                    await asyncio.sleep(0.5)
            case "slow body":
                writer.write(self.served.head("Content-Length: 1000\r\n\r\n", "POST /info"))
                for _ in range(1_000):
                    writer.write(b"x")
                    await asyncio.sleep(0.5)
            case "endless head":
                writer.write(head)
                await self._flood(writer, b"X-A: " + b"a" * 4_000 + b"\r\n")
            case "endless body":
                writer.write(self.served.head("Transfer-Encoding: chunked\r\n\r\n", "POST /info"))
                await self._flood(writer, b"1000\r\n" + b"a" * 4_096 + b"\r\n")
            case "garbage":
                writer.write(rng.randbytes(rng.randint(1, 5_000)) + b"\r\n\r\n")
            case "lengths":
                length = rng.choice(("-1", "x", "1e9", "99999999999999999999", "", "0x10"))
                writer.write(self.served.head(f"Content-Length: {length}\r\n\r\n", "POST /info"))
            case "unread":
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                await self._flood(writer, self.served.head("Content-Length: 0\r\n\r\n"), 200)
            case "socket":
                keys = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                key = rng.choice(("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Key: x\r\n", ""))
                writer.write(self.served.head(f"{keys}{key}\r\n", "GET /ws"))
                await reader.readuntil(b"\r\n\r\n")
                writer.write(rng.choice((rng.randbytes(200), b"\x81\xff" + (2**40).to_bytes(8, "big") + b"abcd")))
                writer.write(b"\x81\x82\0\0\0\0\xff\xfe")
            case _:
                return

    async def _flood(self, writer: asyncio.StreamWriter, piece: bytes, times: int = 3_000) -> None:
        for _ in range(times):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)


def campaigns(folder: Path, n: int, seed: int, hold_s: float = 12.0, kinds: tuple[str, ...] = KINDS) -> dict[str, Any]:
    """Attack the servers one after the other; return their campaigns by kind."""
    done: dict[str, Campaign] = {}
    for kind in kinds:
        served = Served(kind, folder)
        try:
            done[kind] = Campaign(served, n, seed, hold_s)
            asyncio.run(done[kind].run())
        finally:
            served.process.kill()
            served.process.wait()
    return done


def main_of(words: list[str] | None = None) -> int:
    """Run the campaign of the command line and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    asked = parser.parse_args(words)
    if asked.serve:
        asyncio.run(serve(asked.serve))
        return 0
    began, faults = time.monotonic(), 0
    kinds = (asked.kind,) if asked.kind else KINDS
    with tempfile.TemporaryDirectory(prefix="lotus-servers-") as folder:
        for kind, done in campaigns(Path(folder), asked.n, asked.seed, kinds=kinds).items():
            for what, count in sorted(done.figures.items()):
                print(f"{kind:<10} {what:<20} {count:>8}")
            for fault, times in Counter(done.faults).most_common(10):
                print(f"{kind}: {times} x {fault}")
            faults += len(done.faults)
    print(f"{asked.n} connections of seed {asked.seed} each in {time.monotonic() - began:.0f} s: {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main_of())
