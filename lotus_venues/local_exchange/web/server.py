"""The exchange as a server on loopback: `/ws`, `POST /info`, `POST /exchange` and, for drills, `POST /lotus`.

In a test or beside a client, in the same event loop:

    async with LocalExchange([Asset("BTC", 5)], options=Options(accounts={address: Decimal(10_000)})) as exchange:
        exchange.feed(book_frame("BTC", 1_000, [("100000.0", "1.0")], [("100001.0", "1.0")]))
        client = Info(exchange.url)              # the SDK blocks: call it in a thread (asyncio.to_thread)
        await exchange.advance(2_000)            # plays the tape and moves the clock (ms) to there

`feed` takes one market frame (`frames` makes them), `advance` plays `lines` of tape up to a receive time; both tell
clients at once, and `advance` returns when everything is written to them. With `Options.speed` the tape plays itself.
`faults.switch` puts faults in force, `dump` shows the truth about an account. A thin shell: it decides nothing.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from lotus.json_text import read_json
from lotus.manifest import Asset
from lotus.timebase import NS_PER_MS
from lotus_venues.hyperliquid.dialogue import Dialogue
from lotus_venues.listening import LOOPBACK, listen
from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.faults import Faults
from lotus_venues.local_exchange.late import END_MS, Way
from lotus_venues.local_exchange.options import Options, TimeSource, listings_of, micro
from lotus_venues.local_exchange.requests.actions import Actions
from lotus_venues.local_exchange.requests.control import ExchangeControl
from lotus_venues.local_exchange.requests.error_messages import BAD_BODY
from lotus_venues.local_exchange.requests.gateway import Gateway, Reply
from lotus_venues.local_exchange.requests.info import Info
from lotus_venues.local_exchange.requests.limits import POSTS_IN_FLIGHT, SUBSCRIPTIONS, USERS, RateLimits
from lotus_venues.local_exchange.requests.signers import Signers
from lotus_venues.local_exchange.requests.wire_out import WireEncoder
from lotus_venues.local_exchange.tape import Tape
from lotus_venues.local_exchange.web.http import LoopbackServer, json_of, loopback_server
from lotus_venues.local_exchange.web.hub import Hub, error_frame
from lotus_venues.local_exchange.web.session import ClientConnection

GREETING = "Websocket connection established."
TICK_S = 0.1
FLUSH_S = 2.0
QUEUED_FRAMES = 2_000  # a tape played as fast as possible waits for clients beyond this


class LocalExchange:
    """One exchange, from `async with` to its end. Everything happens in the loop that entered it."""

    def __init__(
        self,
        universe: Sequence[Asset],
        lines: Iterable[tuple[int, bytes]] = (),
        *,
        options: Options | None = None,
        port: int = 0,
    ) -> None:
        """Open nothing yet; `lines` are (receive ns, raw frame) in order, `port` 0 takes a free one."""
        self.options, self.port = options or Options(), port
        opts = self.options
        listings = listings_of(universe, opts.isolated)
        self.engine = Engine(listings, schedule_volume_usd=opts.schedule_volume_usd, exit_rules=opts.exit_rules)
        self.engine.state.least_tier = opts.fee_tier
        self.way = Way(opts.latency_ms)
        self.encoder = WireEncoder(self.engine.state)
        self.tape = Tape(self.engine)
        self.faults = Faults(opts.seed, opts.faults)
        self.signers = Signers(opts.client_ms)
        self.info = Info(self.engine, self.encoder, self.tape.contexts, self.signers, opts.abstraction)
        self.hub = Hub(self.engine, self.encoder, self.tape, self.faults, self.info)
        self.hub.repeats_trades = opts.repeats_trades
        self.limits = RateLimits(opts.limit_scale)
        deposit = None if opts.open_deposit_usd is None else micro(opts.open_deposit_usd)
        actions = Actions(self.engine, self.signers, self.encoder, self.limits, deposit)
        self.gateway = Gateway(
            actions=actions,
            info=self.info,
            limits=self.limits,
            faults=self.faults,
            tick=self._tick,
            tell=self._tell,
            steady_s=time.monotonic,
        )
        self.control = ExchangeControl(self)
        self.tape_over = asyncio.Event()
        self.broken = asyncio.Event()  # the tape or the exchange itself failed; leaving raises the error
        self.played = 0
        self._names = frozenset(a.name for a in universe)
        self._lines = iter(lines)
        self._held: tuple[int, bytes] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: LoopbackServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._begun = False
        self._failure: BaseException | None = None
        for address, usd in opts.accounts.items():
            self.deposit(address, usd)
        for agent, master in opts.agents.items():
            self.signers.approve(agent, master)

    @property
    def url(self) -> str:
        """Base address for the SDK and for REST, without a trailing slash."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Websocket address."""
        return f"ws://{LOOPBACK}:{self.port}/ws"

    @property
    def now_ms(self) -> int:
        """The exchange's clock."""
        return self.engine.state.now_ms

    async def __aenter__(self) -> "LocalExchange":
        """Listen; a paced tape starts when it is due."""
        listener = listen(self.port)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it; else 40 ms an answer
        self.port = listener.getsockname()[1]
        routes = [
            WebSocketRoute("/ws", self._ws),
            Route("/info", self._info, methods=["POST"]),
            Route("/exchange", self._exchange, methods=["POST"]),
            Route("/lotus", self._lotus, methods=["POST"]),
        ]
        self._server = loopback_server(routes, self.port)
        self._serving = self._start(self._server.serve([listener]))
        while not self._server.started:
            await asyncio.sleep(0.001)
        if self.options.clock is TimeSource.WALL:
            self._tick()
            self._start(self._tick_on())
        self._begin_if_due()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every connection and stop listening; raises what failed inside, if anything did."""
        for session in tuple(self.hub.sessions):
            session.abort()
        if self._server is not None:
            self._server.should_exit = self._server.force_exit = True
        for task in tuple(self._tasks - {self._serving}):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None and error is None:
            raise self._failure

    def deposit(self, address: str, usd: Decimal) -> None:
        """Credit an account."""
        self.engine.deposit(address.lower(), micro(usd))

    def feed(self, raw: bytes) -> None:
        """Take one market frame now: match, pass it on, tell who is concerned."""
        target = self.tape.apply(raw)
        if target is not None:
            self.hub.market(target, raw)
        self._tell()

    async def advance(self, to_ms: int) -> None:
        """Play the tape up to a receive time, move the clock there, and wait until clients are written to."""
        while (line := self._next()) is not None and line[0] // NS_PER_MS <= to_ms:
            self._play(line)
            if self.played % 64 == 0:
                await asyncio.sleep(0)
        self.reach(to_ms)
        self._tell()
        await self.flush()

    async def flush(self) -> None:
        """Wait until every connection was sent what is queued for it; one that does not read is not waited for long."""
        waiting = [asyncio.ensure_future(s.flushed()) for s in tuple(self.hub.sessions)]
        if waiting:
            _, stuck = await asyncio.wait(waiting, timeout=FLUSH_S)
            for task in stuck:
                task.cancel()

    def dump(self, address: str) -> dict[str, Any]:
        """Return the truth about an account, whatever its client was answered."""
        return self.control.state(address)

    def silence_sockets(self) -> None:
        """Let every open connection fall silent without closing it."""
        for session in self.hub.sessions:
            session.is_silent = True

    def drop_sockets(self) -> None:
        """End every open connection without a close frame."""
        for session in tuple(self.hub.sessions):
            session.abort()

    # --- the tape

    def _next(self) -> tuple[int, bytes] | None:
        if self._held is None:
            self._held = next(self._lines, None)
            if self._held is None:
                self.tape_over.set()
                self.way.reach(END_MS)
        return self._held

    def play(self, line: tuple[int, bytes]) -> None:
        """Take one line of a tape that somebody else plays (receive ns, raw frame); the clock goes to its time."""
        self.played += 1
        if self.options.clock is TimeSource.TAPE:
            self.reach(line[0] // NS_PER_MS)
        self.hub.mids()
        self.feed(line[1])

    def reach(self, now_ms: int) -> None:
        """Let the clock reach a time (ms), and the actions that are due by then take effect."""
        self.engine.advance(now_ms)
        self.way.reach(now_ms)

    def _play(self, line: tuple[int, bytes]) -> None:
        self._held = None
        self.play(line)

    def _begin_if_due(self) -> None:
        subscribed = sum(len(s.routes) for s in self.hub.sessions)
        if self.options.speed is not None and not self._begun and subscribed >= self.options.start_after:
            self._begun = True
            self._start(self._play_on(self.options.speed))

    async def _play_on(self, speed: float) -> None:
        loop = asyncio.get_running_loop()
        origin: tuple[float, int] | None = None
        longest_ns, before = 1e9 * (self.options.longest_silence_s or float("inf")), 0
        hold, free_ns = self.options.hold, 0
        while (line := self._next()) is not None:
            if origin is None or line[0] - before > longest_ns:
                origin = loop.time(), line[0]
            before = line[0]
            if speed > 0:
                wait_s = origin[0] + (line[0] - origin[1]) / 1e9 / speed - loop.time()
                if wait_s > 0:
                    await asyncio.sleep(wait_s)
            if hold is not None and line[0] >= free_ns:
                free_ns = await hold(line[0])
            self._play(line)
            if self.played % 32 == 0:
                await asyncio.sleep(0)
                while any(s.waiting > QUEUED_FRAMES for s in self.hub.sessions):
                    await asyncio.sleep(0.001)

    def _tick(self) -> None:
        if self.options.clock is TimeSource.WALL:
            self.reach(self.options.wall_ms())

    async def _tick_on(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._tick()
            self._tell()

    def _tell(self) -> None:
        if self.engine.state.events:
            self.hub.user(self.engine.drain())

    # --- the network

    async def _info(self, request: Request) -> Response:
        return await self._respond(request, await json_of(request), self.gateway.ask)

    async def _exchange(self, request: Request) -> Response:
        body = await json_of(request)
        await self.way.taken(self.now_ms, body)
        return await self._respond(request, body, self.gateway.exchange)

    async def _lotus(self, request: Request) -> Response:
        body = await json_of(request)
        status, content = await self.control.run(body)
        return JSONResponse(content, status)

    async def _respond(self, request: Request, body: Any, answer: Any) -> Response:
        if body is None:
            return PlainTextResponse(BAD_BODY, 422)
        with self._noted():
            reply: Reply = answer(body, request.client.host if request.client else "")
        await asyncio.sleep(reply.delay_s)
        while reply.hangs and not await request.is_disconnected():
            await asyncio.sleep(0.05)
        if reply.status != 200 or reply.hangs:
            return PlainTextResponse(reply.content or "", reply.status or 500)
        return JSONResponse(reply.content, reply.status)

    async def _ws(self, websocket: WebSocket) -> None:
        address = websocket.client.host if websocket.client else ""
        if not self.limits.opens(address, time.monotonic(), len(self.hub.sessions)):
            await websocket.close()  # before it is accepted: HTTP 403
            return
        await websocket.accept()
        dialogue = Dialogue(self._names, has_users=True)
        session = ClientConnection(websocket, dialogue, self.faults)
        self.hub.sessions.add(session)
        if self.options.greets:
            session.send(GREETING)
        try:
            with self._noted():
                await session.texts(lambda text: self._hear(session, text, address), self.options.idle_s)
        finally:
            self.hub.sessions.discard(session)

    def _hear(self, session: ClientConnection, text: str, address: str) -> None:
        if not self.limits.hears(address, time.monotonic()):
            session.send(error_frame("Too many messages: more than 2000 a minute"))
            return
        with contextlib.suppress(ValueError):
            message = read_json(text)
            if isinstance(message, dict) and message.get("method") == "post":
                self._start(self._post(session, message, address))
                return
        refused = self._refuse_subscription(session, text)
        if refused:
            session.send(error_frame(refused))
            return
        answer = session.dialogue.answer(text)
        if answer.close:
            session.abort()
            return
        for reply in answer.texts:
            session.send(reply)
        session.subscribed(answer)
        if answer.subscribed is not None:
            self.hub.greet(session, answer.subscribed)
            self._begin_if_due()

    def _refuse_subscription(self, session: ClientConnection, text: str) -> str:
        if not self.limits.is_on or '"subscribe"' not in text:
            return ""
        sessions = self.hub.sessions
        if sum(len(s.dialogue.live) for s in sessions) >= SUBSCRIPTIONS * self.limits.scale:
            return "Cannot track more than 1000 subscriptions."
        users = {user for s in sessions for some in s.users.values() for user in some}
        with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
            users.add(read_json(text)["subscription"]["user"].lower())
        return "Cannot track more than 10 total users." if len(users) > USERS * self.limits.scale else ""

    async def _post(self, session: ClientConnection, message: dict[str, Any], address: str) -> None:
        number, request = message.get("id"), message.get("request")
        if self.limits.is_on and session.posts >= POSTS_IN_FLIGHT * self.limits.scale:
            session.send(error_frame(f"too many pending post requests id={number}"))
            return
        session.posts += 1
        try:
            response = await self._posted(request, address)
        finally:
            session.posts -= 1
        if response is not None:
            session.send_frame("post", {"id": number, "response": response})

    async def _posted(self, request: Any, address: str) -> dict[str, Any] | None:
        kind = request.get("type") if isinstance(request, dict) else None
        if kind not in ("info", "action"):
            return {"type": "error", "payload": BAD_BODY}
        body = request.get("payload")
        reply = self.gateway.ask(body, address) if kind == "info" else self.gateway.exchange(body, address)
        await asyncio.sleep(reply.delay_s)
        if reply.hangs:
            return None
        if reply.status != 200:
            return {"type": "error", "payload": f"{reply.status} {reply.content}"}
        payload = {"type": body["type"], "data": reply.content} if kind == "info" else reply.content
        return {"type": kind, "payload": payload}

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        """Keep an error that the web server would hide behind a 500."""
        try:
            yield
        except Exception as error:
            self._fail(error)
            raise

    def _fail(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self.broken.set()
