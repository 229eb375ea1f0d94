"""The helpers beside the feed: housekeeping, polls of the ledger, the Herald and the desk; what breaks is begun again.

Each cause of a failure has a counter. Timers here only write, ask and mark silence: no result depends on them.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

import psycopg

from lotus.errors import LotusError, TapeError
from lotus_desk.trading import Trading
from lotus_herald.herald import Herald
from lotus_herald.keys import Keys
from lotus_live.belief_watch import BeliefWatch
from lotus_live.commands import Command, Commands
from lotus_live.feed.clocks import Clock, in_ms
from lotus_live.feed.feed import Feed
from lotus_live.feed.wall_clock import WallClock, step_text
from lotus_live.heap import give_back
from lotus_live.line_taker import LineTaker
from lotus_live.pipeline.beliefs import Poll
from lotus_live.reports.status import FailureCause
from lotus_live.run_context import RunContext, RunTape

logger = logging.getLogger(__name__)

FLUSH_S = 0.25
POLL_S = 1.0
STATUS_S = 1.0
SYNC_S = 5.0
GIVE_BACK_S = 300.0  # what bursts left free in the heap
STEP_POLL_S = 10.0  # of a Herald in step: a barrier names who spoke
AWAY = (LotusError, OSError, psycopg.Error)  # what a ledger that is away raises


class Supervisor:
    """The helpers of one run. `herald` is the Herald that runs now, None before the first."""

    def __init__(
        self, context: RunContext, tape: RunTape, taker: LineTaker, watch: BeliefWatch, write_status: Callable[[], None]
    ) -> None:
        """Start nothing yet."""
        self.herald: Herald | None = None
        self.beside: list[Callable[[], Coroutine[Any, Any, None]]] = []  # jobs that others add before the start
        self._context, self._tape, self._taker, self._watch = context, tape, taker, watch
        self._commands = Commands(context, tape, taker)
        self._write_status = write_status
        self._woken = asyncio.Event()
        self._status_failure = ""
        self._given_back_s = time.monotonic()
        self._helpers: list[asyncio.Task[None]] = []

    def start(self, feed: Feed) -> None:
        """Start the helpers of a run with this feed."""
        taker, trading = self._taker, self._taker.trading
        jobs: list[Coroutine[Any, Any, None]] = [self._keep_house(feed), self._poll()]
        jobs += [job() for job in self.beside]
        if not self._context.replaying or trading is not None:
            jobs.append(self._carry(feed.clock))
        if trading is not None:
            jobs.append(self._trade(trading))
            if not taker.in_step:
                jobs.append(trading.rebalancer.run(lambda: (taker.counts.ends, taker.last_window_end_ms)))
        self._helpers = [asyncio.create_task(job) for job in jobs]
        for helper in self._helpers:
            helper.add_done_callback(partial(self._ended, feed))

    def _ended(self, feed: Feed, helper: asyncio.Task[None]) -> None:
        """End the daemon with what ended a helper: without it tape, beliefs or messages would stand still unseen."""
        error = None if helper.cancelled() else helper.exception()
        if error is not None:
            logger.critical("the daemon ends: %r", error, exc_info=error, extra=self._context.ids)
            feed.failed(error)

    async def close(self) -> None:
        """Cancel the helpers and wait until they ended."""
        for helper in self._helpers:
            helper.cancel()
        await asyncio.gather(*self._helpers, return_exceptions=True)

    def wake(self) -> None:
        """Poll the ledger at once."""
        self._woken.set()

    async def _keep_house(self, feed: Feed) -> None:
        """Every 0.25 s hand lines and rows over, every 5 s make the tape durable, every second write the status."""
        written_s, synced_s, steps = 0.0, 0.0, 0
        while True:
            await asyncio.sleep(FLUSH_S)
            now_s = time.monotonic()
            try:
                if now_s - synced_s >= SYNC_S:
                    synced_s = now_s
                    self._tape.recorder.sync(feed.clock.now_ns())
                if not self._taker.in_step:
                    self._taker.hand_over()
            except TapeError as error:
                feed.failed(error)
                return
            if isinstance(feed.clock, WallClock):
                self._note_steps(feed.clock.steps[steps:])
                steps = len(feed.clock.steps)
            if now_s - written_s >= STATUS_S:
                written_s = now_s
                self._say_how_it_is()

    def _say_how_it_is(self) -> None:
        """Write the status; what prevents it is logged once: lines have to become durable all the same."""
        try:
            self._write_status()
        except Exception as error:
            if self._status_failure != repr(error):
                logger.error("no status: %r", error, exc_info=error, extra=self._context.ids)
            self._status_failure = repr(error)

    def _note_steps(self, steps_ms: list[int]) -> None:
        """Log steps of the machine's clock, here and in the ledger."""
        for moved_ms in steps_ms:
            logger.warning("%s", step_text(moved_ms), extra=self._context.ids)
            self._taker.rows.note_now("clock_step", self._taker.last_ns, {"moved_ms": moved_ms})

    async def _poll(self) -> None:
        """Look for new priors, tables and commands, at once when woken; a ledger that is away only delays this."""
        counts = self._taker.counts
        while True:
            try:
                poll, commands = await asyncio.to_thread(self._ask_ledger)
            except AWAY as error:
                if counts.failed(FailureCause.POLLS, str(error)):
                    logger.warning("the ledger does not answer: %s", error, extra=self._context.ids)
            else:
                counts.mended(FailureCause.POLLS)
                self._watch.take(poll)
                for number, name, body in commands:
                    result = await self._commands.obey(name, body)
                    await asyncio.to_thread(self._commands.answer, number, result)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._woken.wait()
            self._woken.clear()

    def _ask_ledger(self) -> tuple[Poll, list[Command]]:
        if time.monotonic() - self._given_back_s >= GIVE_BACK_S:
            self._given_back_s = time.monotonic()
            give_back()
        return self._watch.poll(), self._commands.take()

    async def _carry(self, clock: Clock) -> None:
        """Host the deployment's Herald, which carries the messages of modules; one that breaks is begun again.

        In step it carries at the barriers alone. Dagster's runs apply the messages of learning, in step with the
        nightly run; the daemon only carries them.
        """
        context, taker = self._context, self._taker
        keys, trading = Keys(context.settings.keys_root), taker.trading
        while True:
            self.herald = Herald(
                context.databases, keys, {} if trading is None else trading.handlers,
                lambda: taker.pipeline.last_window_end_ms,
                in_ms(clock), branch=None, poll_s=STEP_POLL_S if taker.in_step else POLL_S,
                replica=f"daemon {context.run_id}", own_only=True,
                on_applied=None if trading is None else trading.desk.applied,
            )  # fmt: skip
            try:
                await (self.herald.stand_by() if taker.in_step else self.herald.run())
            except AWAY as error:
                taker.counts.failed(FailureCause.HERALD, str(error))
                logger.warning("the Herald ended and is begun again: %s", error, extra=context.ids)
            await asyncio.sleep(POLL_S)

    async def _trade(self, trading: Trading) -> None:
        """Run the trading desk from the first line on; one that breaks is begun again and finds what it left."""
        while not self._taker.last_ns:
            await asyncio.sleep(FLUSH_S)
        while True:
            try:
                await trading.run()
            except Exception as error:
                self._taker.counts.failed(FailureCause.DESK, f"the desk ended: {error!r}")
                text = "the desk ended and is begun again: %r"
                logger.error(text, error, exc_info=error, extra=self._context.ids)
            await asyncio.sleep(POLL_S)
