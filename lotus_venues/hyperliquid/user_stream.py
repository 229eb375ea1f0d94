"""The user's own websocket: order updates, fills and funding, coming back by itself and watching its own silence.

One socket, one account (order updates carry no user). Every pong is awaited: a socket that answers none is dead,
however open it looks. It decodes nothing but the channel; after every subscription the owner reconciles by asking.
In the literature: heartbeat failure detection; retry with jitter.
"""

import asyncio
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from lotus.errors import VenueError, WireError
from lotus.json_text import MAX_TEXT_BYTES, read_json
from lotus_venues.hyperliquid.info import LOOPBACK
from lotus_venues.hyperliquid.subscriptions import PING_TEXT

# what a question may come to, besides an answer: refused, lost, or of another form
ODD_ANSWERS = (VenueError, WireError, KeyError, TypeError, ValueError, ArithmeticError)
MINUTE_S = 60.0
_OPENED: dict[str, deque[float]] = {}  # by host, when sockets were opened: of all streams of this process
CHANNELS = ("orderUpdates", "userFills", "userEvents")


@dataclass(frozen=True, slots=True)
class StreamPolicy:
    """Times in seconds: a ping every `ping_s`, dead after `silent_s` without any frame; backoff between connections.

    The backoff begins anew only after a socket that lived for `healthy_s`. All streams of a process open at most
    `opens_a_minute` sockets to a host: the venue takes 30 a minute of an address, the market feed's among them.
    """

    ping_s: float = 15.0
    silent_s: float = 25.0
    open_s: float = 10.0
    backoff_first_s: float = 0.25
    backoff_most_s: float = 30.0
    healthy_s: float = 30.0
    opens_a_minute: int = 15


@dataclass(slots=True)
class StreamCounts:
    """What the stream went through."""

    connects: int = 0
    failures: int = 0
    frames: int = 0
    silent: int = 0
    errors: int = 0


class UserStream:
    """Runs until cancelled. `on_frame` takes (channel, data); `on_ready` is awaited after each subscription."""

    def __init__(
        self,
        url: str,
        user: str,
        on_frame: Callable[[str, Any], None],
        on_ready: Callable[[], Awaitable[None]],
        policy: StreamPolicy | None = None,
    ) -> None:
        """Open nothing yet."""
        self.url, self.user, self.policy = url, user, policy or StreamPolicy()
        self.counts = StreamCounts()
        self.ready = asyncio.Event()
        self._on_frame, self._on_ready = on_frame, on_ready
        self._heard = 0.0
        self._jitter = random.Random(7)

    async def run(self) -> None:
        """Connect, listen, and connect again."""
        attempt, now_s = 0, asyncio.get_running_loop().time
        while True:
            await self._room()
            opened_s = now_s()
            try:
                async with asyncio.timeout(self.policy.open_s):
                    socket = await connect(self.url, **self._options())
                try:
                    await self._live(socket)
                finally:
                    self.ready.clear()
                    await socket.close()
            except (OSError, TimeoutError, WebSocketException):
                self.counts.failures += 1
            attempt = 0 if now_s() - opened_s >= self.policy.healthy_s else attempt + 1
            most = min(self.policy.backoff_most_s, self.policy.backoff_first_s * 2.0 ** min(attempt, 30))
            await asyncio.sleep(self._jitter.uniform(0, most))

    async def _room(self) -> None:
        """Wait until another socket may be opened, and take its place."""
        opened, now_s = _OPENED.setdefault(urlsplit(self.url).netloc, deque()), asyncio.get_running_loop().time
        while len(opened) >= self.policy.opens_a_minute:
            if (wait_s := opened[0] + MINUTE_S - now_s()) > 0:
                await asyncio.sleep(wait_s)
            else:
                opened.popleft()
        opened.append(now_s())

    async def _live(self, socket: ClientConnection) -> None:
        self.counts.connects += 1
        self._heard = asyncio.get_running_loop().time()
        for channel in CHANNELS:
            wanted = {"type": channel, "user": self.user}
            await socket.send(json.dumps({"method": "subscribe", "subscription": wanted}, separators=(",", ":")))
        work = [self._read(socket), self._watch(socket), self._greet()]
        tasks = [asyncio.create_task(part) for part in work]
        try:
            done, _ = await asyncio.wait(tasks[:2], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _greet(self) -> None:
        while True:
            try:
                await self._on_ready()
            except ODD_ANSWERS:
                await asyncio.sleep(self.policy.backoff_first_s)
                continue
            self.ready.set()
            return

    async def _read(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        async for text in socket:
            self._heard = loop.time()
            self.counts.frames += 1
            try:
                frame = read_json(text)
                channel = frame["channel"]
            except (ValueError, TypeError, KeyError):
                continue
            self.counts.errors += channel == "error"
            self._on_frame(channel, frame.get("data"))

    async def _watch(self, socket: ClientConnection) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.policy.ping_s)
            if loop.time() - self._heard > self.policy.silent_s:
                self.counts.silent += 1
                return
            await socket.send(PING_TEXT)

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "ping_interval": None,
            "max_size": MAX_TEXT_BYTES,
            "compression": None,
            "close_timeout": 0.5,
        }
        return options | ({"proxy": None} if urlsplit(self.url).hostname in LOOPBACK else {})
