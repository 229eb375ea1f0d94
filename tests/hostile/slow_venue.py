"""A venue that hangs or drips: it takes connections and never answers, or sends its answer a byte at a time, for ever.

`slow_venue.py --n N` asks N requests of the adapter in each of `WAYS`, more at once than it has threads, and two of the
client that lists the coins, with an honest moment after each way. A fault is an answer that takes longer than the limit
of a request, an error of another kind than `VenueError`, or an honest venue that is not answered afterwards.
(Literature: slow-read attack, timeout.)
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator

from lotus.errors import VenueError
from lotus_venues.hyperliquid.http import JsonPoster
from lotus_venues.hyperliquid.info import InfoClient

WAYS = ("hang before", "hang after", "drip head", "drip body", "drip body of no length")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = b'{"a": "' + b"x" * 100_000 + b'"}'
TIMEOUT_S, SLACK_S = 0.4, 1.0


class SlowVenue:
    """Answers as told by `way`; honestly while it is empty."""

    def __init__(self, pause_s: float) -> None:
        self.way, self.pause_s, self.url = "", pause_s, ""

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["SlowVenue"]:
        """Serve on a free port."""
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                if self.way == "hang before":
                    await asyncio.sleep(3600)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
                await self._answer(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        match self.way:
            case "":
                writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}")
            case "hang after":
                await asyncio.sleep(3600)
            case "drip head":
                await self._drip(writer, HEAD + b"X-A: " + BODY)
            case "drip body":
                writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY))
                await self._drip(writer, BODY)
            case _:
                writer.write(HEAD + b"Connection: close\r\n\r\n")
                await self._drip(writer, BODY)

    async def _drip(self, writer: asyncio.StreamWriter, text: bytes) -> None:
        for k in range(len(text)):
            writer.write(text[k : k + 1])
            await writer.drain()
            await asyncio.sleep(self.pause_s)


async def attack(n: int, pause_s: float, timeout_s: float, threads: int = 16) -> tuple[Counter[str], list[str]]:
    """Ask `n` requests at once in each way; return figures and faults."""
    figures: Counter[str] = Counter()
    faults: list[str] = []
    async with SlowVenue(pause_s).serving() as venue:
        poster, client = JsonPoster(venue.url, timeout_s, timeout_s, threads), InfoClient(venue.url, timeout_s)
        limit_s = 3 * timeout_s + SLACK_S
        poster.open()

        async def ask(by_client: bool = False) -> None:
            began, body = time.monotonic(), {"type": "x"}
            try:
                await (asyncio.to_thread(client.request, body) if by_client else poster.post("/info", body))
                figures[f"{venue.way or 'honest'}: answered"] += 1
                if venue.way:
                    faults.append(f"{venue.way}: believed")
            except VenueError as problem:
                figures[f"{venue.way or 'honest'}: refused"] += 1
                if not venue.way:
                    faults.append(f"an honest venue is refused after it was slow: {problem}")
            except Exception as problem:
                faults.append(f"{venue.way}: {problem!r}")
            if (seconds := time.monotonic() - began) > limit_s:
                faults.append(f"{venue.way or 'honest'}: {seconds:.1f} s, at most {limit_s:.1f}")

        for way in WAYS:
            venue.way = way
            await asyncio.gather(*(ask() for _ in range(n)), ask(by_client=True), ask(by_client=True))
            venue.way = ""
            await asyncio.sleep(2 * timeout_s)  # those that were begun last end by their own limit
            await asyncio.gather(*(ask() for _ in range(threads)), ask(by_client=True))
        poster.close()
    return figures, faults


def main_of(words: list[str] | None = None) -> int:
    """Run the campaign of the command line and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--pause-s", type=float, default=1.0)
    parser.add_argument("--timeout-s", type=float, default=5.0)
    asked = parser.parse_args(words)
    began = time.monotonic()
    figures, faults = asyncio.run(attack(asked.n, asked.pause_s, asked.timeout_s))
    for what, count in sorted(figures.items()):
        print(f"{what:<40} {count:>8}")
    for fault in faults[:20]:
        print(fault)
    print(f"{asked.n} requests in each of {len(WAYS)} ways in {time.monotonic() - began:.0f} s: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main_of())
