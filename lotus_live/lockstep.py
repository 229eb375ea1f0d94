"""A traded replay in step with its desk: the tape stands while what it caused is on its way.

The tape stands at barriers: at the configured latency after the line that closed a window, and so long past every whole
second, on which positions are left. There it waits until what was published is proposed, decided and accepted, every
plan saw its market, and the venue has answered; before them nothing leaves the daemon. So an order meets the market
that a modelled probe meets, on any machine. What does not end within `PATIENCE_S` is left behind and counted. Nothing
is decided here. In the literature: conservative synchronisation of
a simulation (Chandy, Misra), barriers.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from lotus.errors import LotusError
from lotus.modules.intents import Module
from lotus.timebase import NS_PER_MS
from lotus_desk.trading import Trading
from lotus_live.daemon import Daemon
from lotus_live.feed.clocks import ReplayClock
from lotus_venues.hyperliquid.venue import HyperliquidVenue
from lotus_venues.local_exchange.web.server import LocalExchange

logger = logging.getLogger(__name__)

STEP_NS = 1_000_000_000
CLOSING_NS = 2_000_000_000  # after its end a window is closed by the next message or not at all
PATIENCE_S = 20.0
WAIT_S = 0.001  # between two looks at what other threads do
LOOK_MS = 30_000  # of the tape: an answer about the accounts is good for so long
NEVER_NS = 2**63
MOST_ROWS = 200  # scored windows that wait for the next one that is published


@dataclass(slots=True)
class Lockstep:
    """The barriers of one run: `latency_ns` after the line that closed a window, and so long past every second.

    With a `second` exchange the tape stands too when an order has reached it.
    """

    daemon: Daemon
    clock: ReplayClock
    latency_ns: int
    window_ns: int
    second: LocalExchange | None = None
    given_up: int = 0
    _begun: bool = False
    _ends: int = 0
    _published: int = 0
    _reported: int = 0
    _due_ns: int = 0
    _barrier_ns: int = 0
    _looked_ms: int = 0
    _arrived_ms: int = 0

    def __post_init__(self) -> None:
        """What the daemon makes is handed over at the barriers alone."""
        self.daemon.taker.in_step = True

    @property
    def trading(self) -> Trading:
        """The daemon's trading, which begins after the exchange does."""
        if self.daemon.taker.trading is None:
            raise LotusError("a replay in step with no desk", "a daemon that trades")
        return self.daemon.taker.trading

    async def hold(self, next_ns: int) -> int:
        """Return the stamp up to which the tape may be played, once nothing before `next_ns` is on its way."""
        if not self._begun:
            self._begun = True
            return next_ns + 1  # the first line gives the exchange its time, and wakes the desk
        until_s = time.monotonic() + PATIENCE_S
        while not self.clock.has_given(next_ns) and time.monotonic() < until_s:
            await asyncio.sleep(0)
        await self._until(lambda: self.trading.desk.recovered)
        if self.daemon.taker.counts.ends != self._ends and not self._due_ns:
            self._due_ns = self.daemon.taker.last_ns + self.latency_ns
        await self._arrive(next_ns)
        if next_ns >= (self._due_ns or self._barrier_ns):
            await self._settle()
            self._due_ns = 0
            self._barrier_ns = ((next_ns - self.latency_ns) // STEP_NS + 1) * STEP_NS + self.latency_ns
        await self._arrive(next_ns)
        free_ns = self._due_ns or min(self._barrier_ns, self._next_look_ns(next_ns))
        return min(free_ns, self._next_arrival_ns())

    def beside(self, second: LocalExchange) -> None:
        """Trade at a second exchange too, to which orders take longer: the tape stands again when they are there."""
        self.second, self.trading.desk.awaited = second, lambda: second.way.waiting

    def now_ms(self) -> int:
        """Return the desk's clock: the last line's, or where an order reached the second exchange after it, that."""
        return max(self.clock.now_ns() // NS_PER_MS, self._arrived_ms)

    async def _arrive(self, next_ns: int) -> None:
        """Let the orders that reach the second exchange before `next_ns` take effect there, and their answers back."""
        while self.second is not None and (arrival_ns := self._next_arrival_ns()) <= next_ns:
            self._arrived_ms = arrival_ns // NS_PER_MS
            self.second.reach(self._arrived_ms)
            await self._answered()

    def _next_arrival_ns(self) -> int:
        """Return when the next order reaches the second exchange."""
        next_ms = None if self.second is None else self.second.way.next_ms
        return NEVER_NS if next_ms is None else next_ms * NS_PER_MS

    async def _answered(self) -> None:
        """Wait until the desk has nothing to do but for orders that wait for the tape."""
        desk = self.trading.desk
        if self.second is None:
            await self._in_time(desk.idle())
        else:
            await self._until(lambda: desk.is_idle)

    def _next_look_ns(self, next_ns: int) -> int:
        """Return when to look next whether a window was closed: line by line for a while after its end."""
        end_ns = next_ns // self.window_ns * self.window_ns
        is_open = self.daemon.taker.last_window_end_ms * NS_PER_MS < end_ns and next_ns < end_ns + CLOSING_NS
        return next_ns + 1 if is_open else end_ns + self.window_ns

    async def finish(self) -> None:
        """Carry what the last lines caused, once the tape is over."""
        self.daemon.taker.hand_over()
        await self._settle()
        while await self._carried(*Module):
            pass
        await self.trading.rebalancer.over()

    async def _settle(self) -> None:
        """See everything through that the lines so far caused; they are on the tape before anything leaves."""
        taker, desk = self.daemon.taker, self.trading.desk
        counts, end_ms = taker.counts, taker.last_window_end_ms
        if counts.published != self._published or len(taker.rows.scored) >= MOST_ROWS:
            taker.hand_over()
        if counts.published != self._published:
            self._published = counts.published
            await self._look()
            await self._until(lambda: self.daemon.log.is_idle)
            await self._carried(Module.SIG)
        if counts.ends != self._ends:
            self._ends = counts.ends
            self.daemon.tape.recorder.flush()
            if desk.counts.finished != self._reported:
                await self._carried(Module.TR)
            if self.trading.rebalancer.window(end_ms):
                await self._look()
                await self._carried(Module.DM)
        desk.show_markets()
        if not desk.is_idle:
            self.daemon.tape.recorder.flush()
            await self._answered()

    async def _look(self) -> None:
        """Ask the venues for money and for what is open, if they were not asked lately: orders may follow."""
        now_ms = self.trading.market.now_ms()
        if now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            with suppress(LotusError, OSError):
                await self.trading.desk.look_at_accounts()
                for venue in self.trading.desk.venues.values():
                    if isinstance(venue, HyperliquidVenue):
                        await venue.exchange.look_at_exposure()

    async def _carried(self, *speakers: Module) -> int:
        """Carry what modules said, what follows from it, and all reports; return how many messages that were."""
        speaking = {*speakers}
        if self.trading.desk.counts.finished != self._reported:
            self._reported = self.trading.desk.counts.finished
            speaking.add(Module.TR)
        await self._until(lambda: self.daemon.supervisor.herald is not None)
        if (herald := self.daemon.supervisor.herald) is None:
            return 0
        carried, _ = herald.turn(frozenset(speaking))  # no thread: nothing else is to be done meanwhile
        await asyncio.sleep(0)  # the desk hears in the loop of what was applied
        return carried.total

    async def _in_time(self, work: Awaitable[None]) -> None:
        """Wait for something that ends by itself, within `PATIENCE_S`."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await work
        except TimeoutError:
            self._give_up()

    def _give_up(self) -> None:
        self.given_up += 1
        if self.given_up == 1:
            logger.warning("a step of the replay was not over within %g s", PATIENCE_S)

    async def _until(self, is_done: Callable[[], bool]) -> None:
        """Wait for something, within `PATIENCE_S`."""
        until_s = time.monotonic() + PATIENCE_S
        while not is_done():
            if time.monotonic() > until_s:
                self._give_up()
                return
            await asyncio.sleep(WAIT_S)
