"""The feed: one websocket to the venue (or to a replay server) that comes back by itself and watches its own silence.

It subscribes, pings, stamps every frame through the clock's port and hands lines of tape on, in order. It decodes
nothing. Reconnects use exponential backoff with full jitter under the venue's limit of connections a minute.
(Literature: retry with jitter; heartbeat failure detection.)
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from lotus.errors import VenueError
from lotus.json_text import read_json
from lotus.manifest import Asset
from lotus.microtape.wire.frame import MAX_LINE_BYTES
from lotus_live.feed.clocks import Arrival, Clock
from lotus_live.feed.staleness import StaleWatch
from lotus_venues.hyperliquid.info import InfoClient, require_listed
from lotus_venues.hyperliquid.subscriptions import (
    PING_TEXT,
    Subscription,
    acknowledged,
    subscribe_text,
    universe_subscriptions,
    unsubscribe_text,
)

logger = logging.getLogger(__name__)

_MARKET_HEADS = frozenset(b'{"channel":"' + letter for letter in (b"b", b"l", b"t", b"a"))
_SESSION_HEADS = tuple(b'{"channel":"' + letter for letter in (b"s", b"p", b"e"))
_HEAD = 13
_TEXT, _CLOSE, _BINARY = WSMsgType.TEXT, WSMsgType.CLOSE, WSMsgType.BINARY  # looking one up costs 0.15 us a frame
_DATA = (WSMsgType.TEXT, WSMsgType.CONTINUATION)
OnLine = Callable[[Arrival], None]


@dataclass(frozen=True, slots=True)
class FeedPolicy:
    """Times in seconds and limits of the feed.

    `renew_stale` lets it subscribe again where a channel is stale and silent for more than `renew_after_s`. With `spin`
    the process looks at the socket again and again while connected, instead of sleeping until the kernel wakes it: a
    line is scored sooner, with warm caches, for the price of a core. (Literature: busy polling.)
    """

    ping_s: float = 40.0
    silent_s: float = 60.0
    backoff_first_s: float = 0.25
    backoff_most_s: float = 30.0
    connects_per_minute: int = 15  # the venue takes 30 of an address; the rest is for the accounts' streams
    watch_s: float = 1.0
    renew_stale: bool = True
    renew_after_s: float = 0.0
    connect_timeout_s: float = 10.0
    jitter_seed: int = 7
    spin: bool = False


@dataclass(slots=True)
class FeedCounts:
    """What the feed saw; every oddity is counted, none stops it."""

    connects: int = 0
    failures: int = 0
    frames: int = 0
    session_frames: int = 0
    acks: int = 0
    pongs: int = 0
    errors: int = 0
    odd_frames: int = 0
    renewals: int = 0
    last_error: str = ""


@dataclass(slots=True)
class Feed:
    """A feed of one universe. `run` ends when `stop` was called or the clock has no further line to give out.

    `rest_url` empty skips the validation of coins (a caller that did it already).
    """

    url: str
    rest_url: str
    universe: Sequence[Asset]
    clock: Clock
    on_line: OnLine
    policy: FeedPolicy = field(default_factory=FeedPolicy)
    counts: FeedCounts = field(default_factory=FeedCounts)
    watch: StaleWatch = field(init=False)
    subscriptions: tuple[Subscription, ...] = field(init=False)
    connected: bool = False
    failure: BaseException | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _pending: set[Subscription] = field(default_factory=set)
    _transport: WSTransport | None = None
    _starts: deque[float] = field(default_factory=deque)
    _attempt: int = 0
    _heard_s: float = 0.0
    _silent: bool = True

    def __post_init__(self) -> None:
        """Name the subscriptions of the universe."""
        self.subscriptions = universe_subscriptions(a.name for a in self.universe)
        self.watch = StaleWatch(self.subscriptions)

    def stop(self) -> None:
        """Ask `run` to end."""
        self._stop.set()

    async def run(self) -> None:
        """Feed lines until stopped; raises `VenueError` for unknown coins and whatever `on_line` raised."""
        jitter = random.Random(self.policy.jitter_seed)
        await self._validate(jitter)
        while not self._stop.is_set() and not self.clock.exhausted:
            await self._respect_limit()
            try:
                await self._one_connection()
            except (OSError, TimeoutError) as error:
                self._count_failure(f"{type(error).__name__}: {error}")
            self.connected = False
            if self.failure is not None:
                raise self.failure
            await self._back_off(jitter)

    async def _validate(self, jitter: random.Random) -> None:
        while self.rest_url and not self._stop.is_set():
            try:
                listed = await asyncio.to_thread(InfoClient(self.rest_url).meta)
            except VenueError as error:
                self._count_failure(str(error))
                await self._back_off(jitter)
                continue
            require_listed(self.universe, listed)
            self._attempt = 0
            return

    def _count_failure(self, text: str) -> None:
        self.counts.failures += 1
        self.counts.last_error = text
        logger.warning("no connection (%d): %s; trying again", self.counts.failures, text)

    async def _one_connection(self) -> None:
        loop = asyncio.get_running_loop()
        self._starts.append(loop.time())
        timeout = self.policy.connect_timeout_s
        async with asyncio.timeout(timeout):
            transport, _ = await ws_connect(
                lambda: _Listener(self),
                self.url,
                websocket_handshake_timeout=timeout,
                max_frame_size=MAX_LINE_BYTES,
            )
        self.counts.connects += 1
        self.connected, self._transport, self._heard_s = True, transport, time.monotonic()
        self.watch.start(self.clock.now_ns())
        self._pending = set(self.subscriptions)
        for sub in self.subscriptions:
            self._send(subscribe_text(sub))
        gone = asyncio.ensure_future(transport.wait_disconnected())
        if self.policy.spin:
            self._spin(loop, transport)
        try:
            await self._attend(gone, loop)
        finally:
            transport.disconnect()
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
            self._transport = None

    def _spin(self, loop: asyncio.AbstractEventLoop, transport: WSTransport) -> None:
        """Leave the loop something to do, so that it never sleeps, until this connection is over."""
        if self._transport is transport:
            loop.call_soon(self._spin, loop, transport)

    async def _attend(self, gone: "asyncio.Future[None]", loop: asyncio.AbstractEventLoop) -> None:
        ping_at = loop.time() + self.policy.ping_s
        stopped = asyncio.ensure_future(self._stop.wait())
        ends: set[asyncio.Future[Any]] = {gone, stopped}
        try:
            while not gone.done() and not stopped.done() and not self.clock.exhausted:
                await asyncio.wait(ends, timeout=self.policy.watch_s, return_when=asyncio.FIRST_COMPLETED)
                if loop.time() >= ping_at:
                    self._send(PING_TEXT)
                    ping_at = loop.time() + self.policy.ping_s
                if self._silent_s() > self.policy.silent_s:
                    self.counts.last_error = f"nothing received for {self.policy.silent_s:.0f} s"
                    return
                self._renew()
        finally:
            stopped.cancel()

    def _silent_s(self) -> float:
        """Return for how long nothing was received, as exact as it is asked often."""
        if not self._silent:
            self._silent, self._heard_s = True, time.monotonic()
        return time.monotonic() - self._heard_s

    def _renew(self) -> None:
        now_ns = self.clock.now_ns()
        self.watch.newly_stale(now_ns)
        if self.policy.renew_stale:
            for sub in self.watch.overdue(now_ns, self.policy.renew_after_s):
                self.counts.renewals += 1
                self._pending.add(sub)
                self._send(unsubscribe_text(sub))
                self._send(subscribe_text(sub))

    async def _respect_limit(self) -> None:
        loop = asyncio.get_running_loop()
        while self._starts and loop.time() - self._starts[0] > 60.0:
            self._starts.popleft()
        if len(self._starts) >= self.policy.connects_per_minute:
            await self._sleep(60.0 - (loop.time() - self._starts[0]))

    async def _back_off(self, jitter: random.Random) -> None:
        if self._stop.is_set() or self.clock.exhausted:
            return
        most = min(self.policy.backoff_most_s, self.policy.backoff_first_s * 2.0**self._attempt)
        self._attempt = min(self._attempt + 1, 30)
        await self._sleep(jitter.uniform(0.0, most))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stop.wait()
        except TimeoutError:
            return

    def _send(self, text: str) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send(WSMsgType.TEXT, text.encode())

    def received(self, raw: bytes) -> None:
        """Take one whole text frame off the socket: hand its lines on first, then keep the books about it."""
        for arrival in self.clock.accept(raw):
            self.on_line(arrival)
            self.counts.frames += 1
            self.watch.note(arrival.raw, arrival.recv_ns)
            self._attempt = 0
        self._silent = False
        if raw[:_HEAD] not in _MARKET_HEADS:
            self._session_frame(raw)
        if self.clock.exhausted:
            self.stop()

    def failed(self, error: BaseException) -> None:
        """Note what a handler raised; `run` raises it."""
        self.failure = self.failure or error
        self.stop()

    def _session_frame(self, raw: bytes) -> None:
        if raw.startswith(b"{") and not raw.startswith(_SESSION_HEADS):
            return
        self.counts.session_frames += 1
        if not raw.startswith(b"{"):
            return
        try:
            message: dict[str, Any] = read_json(raw)
        except ValueError:
            self.counts.odd_frames += 1
            return
        channel, data = message.get("channel"), message.get("data")
        if channel == "pong":
            self.counts.pongs += 1
        elif channel == "error":
            self.counts.errors += 1
            self.counts.last_error = str(data)[:200]
        elif channel == "subscriptionResponse" and isinstance(data, dict) and data.get("method") == "subscribe":
            self.counts.acks += 1
            echo = data.get("subscription")
            if isinstance(echo, dict):
                self._pending.discard(acknowledged(echo))

    @property
    def unacknowledged(self) -> tuple[str, ...]:
        """Labels of subscriptions that were sent on this connection and not acknowledged yet."""
        return tuple(sorted(s.label for s in self._pending)) if self.connected else ()


class _Listener(WSListener):  # type: ignore[misc]
    """The socket's side of the feed: joins fragments and keeps errors of handlers from being lost."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.parts: list[bytes] = []
        self.size = 0

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take one frame, nearly always a whole text."""
        kind = frame.msg_type
        if kind == _TEXT and frame.fin and not self.parts:
            try:
                self.feed.received(frame.get_payload_as_bytes())
            except Exception as error:
                self._broke(transport, error)
        elif kind in _DATA:
            self.parts.append(frame.get_payload_as_bytes())
            self.size += len(self.parts[-1])
            if self.size > MAX_LINE_BYTES:
                self._give_up(transport)
                return
            if frame.fin:
                payload, self.parts, self.size = b"".join(self.parts), [], 0
                try:
                    self.feed.received(payload)
                except Exception as error:
                    self._broke(transport, error)
        elif kind == _CLOSE:
            transport.disconnect()
        elif kind == _BINARY:
            self.feed.counts.odd_frames += 1

    def _give_up(self, transport: WSTransport) -> None:
        """End a connection on which a message grows beyond every line of tape, before it takes the memory."""
        self.parts, self.size = [], 0
        self.feed.counts.odd_frames += 1
        self.feed.counts.last_error = f"a message beyond {MAX_LINE_BYTES} bytes"
        transport.disconnect()

    def _broke(self, transport: WSTransport, error: Exception) -> None:
        self.feed.failed(error)
        transport.disconnect()
