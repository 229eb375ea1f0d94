"""One websocket connection: its subscriptions, what it is sent, and how it ends.

Messages wait in a queue that one task writes, all that wait at once, so the exchange never waits for a client; faults
of the stream strike where a message enters the queue. What the messages mean is not decided here.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from lotus_venues.hyperliquid.dialogue import Dialogue, DialogueReply
from lotus_venues.local_exchange.faults import HELD_S, STREAM_KINDS, FaultKind, Faults
from lotus_venues.local_exchange.tape import Route

USER_CHANNELS = {"orderUpdates": "orderUpdates", "userFills": "userFills", "userEvents": "user"} | {
    "userFundings": "userFundings",
    "userNonFundingLedgerUpdates": "userNonFundingLedgerUpdates",
}

AT_ONCE = 256  # messages of one write
MOST_WAITING = 100_000  # messages for a client that reads too slowly; then its connection ends


class ClientConnection:
    """A client's connection. `abort` ends it as the venue does for an unknown coin: no close frame (code 1006)."""

    def __init__(self, socket: WebSocket, dialogue: Dialogue, faults: Faults) -> None:
        """Bind an accepted socket."""
        self.socket, self.dialogue, self.faults = socket, dialogue, faults
        self.abort: Callable[[], None] = socket.scope["state"]["abort"]
        self.is_silent = False
        self.routes: set[Route] = set()
        self.users: dict[str, set[str]] = {}  # subscription type -> addresses
        self.posts = 0
        self._send_all: Callable[[Sequence[bytes]], Awaitable[None]] = socket.scope["state"]["send_all"]
        self._queue: list[bytes] = []
        self._filled, self._written = asyncio.Event(), asyncio.Event()
        self._written.set()
        self._held: str | None = None

    @property
    def waiting(self) -> int:
        """Messages not yet written."""
        return len(self._queue)

    def subscribed(self, answer: DialogueReply) -> None:
        """Follow what the dialogue has in force."""
        self.routes = {
            (sub["type"], sub.get("coin", ""), bool(sub.get("fast", False)))
            for sub in self.dialogue.live
            if sub["type"] not in USER_CHANNELS
        }
        self.users = {}
        for sub in self.dialogue.live:
            if sub["type"] in USER_CHANNELS:
                self.users.setdefault(sub["type"], set()).add(sub["user"].lower())

    def send(self, text: str | bytes) -> None:
        """Queue a message, unless the socket has fallen silent."""
        if self.waiting >= MOST_WAITING:
            self.abort()
        elif not self.is_silent:
            self._queue.append(text if isinstance(text, bytes) else text.encode())
            self._filled.set()
            self._written.clear()

    def send_frame(self, channel: str, data: Any) -> None:
        """Queue a message of a channel."""
        self.send(frame(channel, data))

    def send_user(self, kind: str, data: Any) -> None:
        """Queue a message of a user channel (subscription type `kind`), faults of the stream included."""
        text = frame(USER_CHANNELS[kind], data)
        fault = self.faults.draw(STREAM_KINDS, kind)
        match fault.kind if fault is not None else None:
            case FaultKind.DROP:
                return
            case FaultKind.SILENT:
                self.is_silent = True
                return
            case FaultKind.DISCONNECT:
                self.abort()
                return
            case FaultKind.REORDER if self._held is None:
                self._held = text
                asyncio.get_running_loop().call_later(HELD_S, self._let_go)
                return
            case FaultKind.DUPLICATE:
                self.send(text)
            case _:
                pass
        self.send(text)
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            held, self._held = self._held, None
            self.send(held)

    async def write(self, idle_s: float) -> None:
        """Write queued messages until cancelled; a connection that was sent nothing for `idle_s` ends."""
        while True:
            try:
                async with asyncio.timeout(idle_s):  # `wait_for` may swallow the end of this task
                    await self._filled.wait()
            except TimeoutError:
                if not self.is_silent:
                    self.abort()
                    return
                continue
            texts = self._queue[:AT_ONCE]
            del self._queue[:AT_ONCE]
            try:
                async with asyncio.timeout(idle_s):
                    await self._send_all(texts)
            except TimeoutError:  # a client that reads nothing holds up the tape of all others no longer
                self.abort()
                return
            finally:
                self._note_written()

    async def flushed(self) -> None:
        """Wait until all that is queued is written."""
        await self._written.wait()

    def _note_written(self) -> None:
        if not self._queue:
            self._filled.clear()
            self._written.set()

    async def texts(self, take: Callable[[str], Any], idle_s: float) -> None:
        """Read the client's messages into `take` until the connection ends, writing beside it."""
        writer = asyncio.create_task(self.write(idle_s))
        try:
            while True:
                take(await self.socket.receive_text())
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await writer
            self._queue.clear()
            self._note_written()


def frame(channel: str, data: Any) -> str:
    """Return the text of a message."""
    return json.dumps({"channel": channel, "data": data}, separators=(",", ":"))
