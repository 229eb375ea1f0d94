"""A loopback websocket server that plays a recorded tape as the venue would, faults included.

One port answers both the websocket (`/ws`) and `POST /info` (`meta`). The tape belongs to the server, not to a
connection: after a drop it goes on where it stopped. Nothing here decodes market data or keeps time but for pacing.
In the literature: record and replay testing with fault injection.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from lotus.json_text import read_json
from lotus.loopback import stranger
from lotus.manifest import Asset
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus_venues.hyperliquid.dialogue import Dialogue
from lotus_venues.hyperliquid.subscriptions import route, universe_subscriptions
from lotus_venues.listening import listen

GREETING = "Websocket connection established."
REPLAYED_TRADES = 30
_PIECE_BYTES = 64 * 1024
CONNECTIONS = 256
HEAD_S = 10.0  # to have sent a whole request
BODY_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class ReplayPlan:
    """How to play: `speed` times the recorded pace (0 = as fast as the client reads) and which faults to inject.

    `drop_before` closes the socket before these frame numbers (from 0); `silent_from` stops sending there while the
    socket lives, `silent_channels` leaves whole channels out; `start_after` is the number of subscriptions that start
    the tape (default: all of the universe); `resend_trades` repeats the last 30 trades when a client comes back.
    """

    speed: float = 0.0
    greeting: bool = True
    drop_before: frozenset[int] = frozenset()
    silent_from: int | None = None
    silent_channels: frozenset[str] = frozenset()
    start_after: int | None = None
    resend_trades: bool = False


class ReplayServer:
    """Serves `frames` (receive ns, raw text) for a universe on 127.0.0.1; an asynchronous context manager.

    After entering, `url` is the websocket address. `finished` is set when the last frame was written.
    """

    def __init__(
        self,
        universe: Sequence[Asset],
        frames: Iterable[tuple[int, bytes]],
        plan: ReplayPlan | None = None,
        port: int = 0,
    ) -> None:
        """Bind nothing yet; `port` 0 takes a free one."""
        self.universe, self.plan, self.port = tuple(universe), plan or ReplayPlan(), port
        self.finished = asyncio.Event()
        self.connections = 0
        self.sent = 0
        self.recent: dict[str, deque[Any]] = {a.name: deque(maxlen=REPLAYED_TRADES) for a in universe}
        self._frames: Iterator[tuple[int, bytes]] = iter(frames)
        self._held: tuple[int, bytes] | None = None
        self._origin: tuple[float, int] | None = None
        self._dropped: set[int] = set()
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()
        self._heads: dict[asyncio.Task[None], None] = {}  # connections that subscribed nothing, oldest first

    @property
    def url(self) -> str:
        """Websocket address."""
        return f"ws://127.0.0.1:{self.port}/ws"

    @property
    def start_after(self) -> int:
        """Number of live subscriptions that starts the tape."""
        wanted = self.plan.start_after
        return len(universe_subscriptions(a.name for a in self.universe)) if wanted is None else wanted

    async def __aenter__(self) -> "ReplayServer":
        """Listen."""
        listener = listen(self.port)
        self._server = await asyncio.start_server(self._accept, sock=listener, limit=1 << 16)
        self.port = listener.getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection and stop listening."""
        if self._server is not None:
            self._server.close()
        for session in tuple(self._sessions):
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def next_frame(self) -> tuple[int, bytes] | None:
        """Return the next frame to send; None at the end of the tape. Control records of a daemon are never sent."""
        while self._held is None or not self._is_sendable(self._held[1]):
            self._held = next(self._frames, None)
            if self._held is None:
                break
        return self._held

    def take(self, frame: tuple[int, bytes]) -> None:
        """Mark the frame of `next_frame` as sent."""
        self._held = None
        self.sent += 1
        if self.plan.resend_trades and frame[1].startswith(b'{"channel":"trades"'):
            with suppress(ValueError, TypeError, KeyError):  # a line that the receiver puts aside
                for trade in read_json(frame[1])["data"]:
                    self.recent[trade["coin"]].append(trade)

    def drops_here(self) -> bool:
        """Tell, once for each planned place, whether the connection is to be dropped before the next frame."""
        due = self.sent in self.plan.drop_before and self.sent not in self._dropped
        self._dropped.add(self.sent)
        return due

    def wait_s(self, stamp_ns: int, now_s: float) -> float:
        """Return the seconds to wait before a frame with this stamp at the planned speed."""
        if self.plan.speed <= 0:
            return 0.0
        if self._origin is None:
            self._origin = now_s, stamp_ns
        start_s, first_ns = self._origin
        return max(0.0, start_s + (stamp_ns - first_ns) / 1e9 / self.plan.speed - now_s)

    def _is_sendable(self, raw: bytes) -> bool:
        if raw.startswith(CONTROL_PREFIX):
            return False
        return not self.plan.silent_channels or route(raw)[0] not in self.plan.silent_channels

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._sessions.add(task)
            task.add_done_callback(self._sessions.discard)
            self._heads[task] = None
            task.add_done_callback(lambda ended: self._heads.pop(ended, None))
        if len(self._sessions) > CONNECTIONS and self._heads:  # the oldest that subscribed nothing makes room
            oldest = next(iter(self._heads))
            del self._heads[oldest]
            oldest.cancel()
        try:
            async with asyncio.timeout(HEAD_S):
                head = await reader.readuntil(b"\r\n\r\n")
                status, words = stranger(_headers(head), self.port)
                if status:
                    await _reply(writer, HTTPStatus(status), "text/plain", words)
                elif head.startswith(b"POST "):
                    await _reply(writer, *self._info(head.split(b" ")[1], await _body(head, reader)))
            if not status and not head.startswith(b"POST "):
                self.connections += 1
                await _Session(self, reader, writer).run(head, lambda: self._heads.pop(task, None) if task else None)
        except (TimeoutError, asyncio.CancelledError):
            writer.transport.abort()  # the other side does not act, or the server is closing
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the other side left
        except (asyncio.LimitOverrunError, ValueError):
            return  # no request: a head beyond the limit, a length that is none, text that is no UTF-8
        finally:
            writer.close()

    def _info(self, path: bytes, body: bytes) -> tuple[HTTPStatus, str, str]:
        try:
            wanted = read_json(body)["type"]
        except (ValueError, TypeError, KeyError):
            wanted = ""
        if path != b"/info" or wanted != "meta":
            return HTTPStatus.UNPROCESSABLE_ENTITY, "text/plain", "Failed to deserialize the JSON body"
        rows = [{"szDecimals": a.sz_decimals, "name": a.name, "maxLeverage": 40} for a in self.universe]
        return HTTPStatus.OK, "application/json", json.dumps({"universe": rows, "marginTables": []})


def _headers(head: bytes) -> dict[str, str]:
    """Return the headers of a request's head by name in small letters."""
    rows = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in rows}


async def _body(head: bytes, reader: asyncio.StreamReader) -> bytes:
    """Return the body of a request; raises `ValueError` for a length that is none or too much."""
    length = int(_headers(head).get("content-length", "0"))
    if not 0 <= length <= BODY_BYTES:
        raise ValueError(f"a body of {length} bytes")
    return await reader.readexactly(length)


async def _reply(writer: asyncio.StreamWriter, status: HTTPStatus, kind: str, text: str) -> None:
    raw = text.encode()
    lines = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n"
    writer.write(f"{lines}Connection: close\r\n\r\n".encode() + raw)
    await writer.drain()


class _Session:
    """One websocket connection: reads requests, answers, and pumps the server's tape once enough is subscribed."""

    def __init__(self, server: ReplayServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.protocol = ServerProtocol()
        self.dialogue = Dialogue({a.name for a in server.universe})
        self.pump: asyncio.Task[None] | None = None

    async def run(self, head: bytes, on_live: Callable[[], Any]) -> None:
        """Serve until the other side leaves; `on_live` takes each subscription."""
        self.on_live = on_live
        self.protocol.receive_data(head)
        data = b""
        try:
            while True:
                for event in self.protocol.events_received():
                    self._handle(event)
                self._flush()
                if self.writer.is_closing() or self.protocol.handshake_exc is not None:
                    return
                await self.writer.drain()  # answers wait for a client that asks and does not read
                data = await self.reader.read(65536)
                if not data:
                    return
                self.protocol.receive_data(data)
        finally:
            if self.pump is not None:
                self.pump.cancel()
                await asyncio.gather(self.pump, return_exceptions=True)

    def _handle(self, event: Any) -> None:
        if isinstance(event, Request):
            self.protocol.send_response(self.protocol.accept(event))
            if self.server.plan.greeting and self.protocol.handshake_exc is None:
                self.protocol.send_text(GREETING.encode())
        elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
            answer = self.dialogue.answer(bytes(event.data).decode())
            if answer.close:
                self.writer.transport.abort()
                return
            for text in answer.texts:
                self.protocol.send_text(text.encode())
            if answer.subscribed:
                self.on_live()
            if answer.subscribed and answer.subscribed["type"] == "trades":
                self._resend_trades(answer.subscribed["coin"])
            if self.pump is None and len(self.dialogue.live) >= self.server.start_after:
                self.pump = asyncio.create_task(self._play())
        elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
            self._flush()
            self.writer.close()

    def _resend_trades(self, coin: str) -> None:
        recent = list(self.server.recent[coin])
        if recent and self.server.plan.resend_trades:
            text = json.dumps({"channel": "trades", "data": recent}, separators=(",", ":"))
            self.protocol.send_text(text.encode())

    def _flush(self) -> None:
        for data in self.protocol.data_to_send():
            if data:
                self.writer.write(data)

    async def _play(self) -> None:
        """Send the tape, frames that are due together in one piece, and go on once the client has taken most of it."""
        server, loop, piece = self.server, asyncio.get_running_loop(), bytearray()
        while (frame := server.next_frame()) is not None:
            if server.plan.silent_from is not None and server.sent >= server.plan.silent_from:
                self.writer.write(piece)
                return
            if server.drops_here():
                self.writer.write(piece)
                await self.writer.drain()
                self.writer.close()
                return
            wait_s = server.wait_s(frame[0], loop.time()) if server.plan.speed > 0 else 0.0
            if wait_s > 0 or len(piece) > _PIECE_BYTES:
                self.writer.write(piece)
                piece = bytearray()
                await self.writer.drain()
                await asyncio.sleep(wait_s)
            piece += text_head(len(frame[1]))
            piece += frame[1]
            server.take(frame)
        self.writer.write(piece)
        await self.writer.drain()
        server.finished.set()


def text_head(size: int) -> bytes:
    """Return the head of an unmasked websocket text frame of so many bytes (RFC 6455, 5.2)."""
    if size < 126:
        return bytes((0x81, size))
    return b"\x81\x7e" + size.to_bytes(2, "big") if size < 65_536 else b"\x81\x7f" + size.to_bytes(8, "big")
