"""The live daemon: feed, recorder, pipeline, probes, log writer and helpers under one loop, until it is stopped.

It only wires its parts. `LineTaker` takes the lines, `BeliefWatch` follows the ledger's beliefs, `Commands` obeys the
ledger's commands, `Supervisor` runs the helpers, and `reports.status` says how all of them are.
"""

import asyncio
import gc
import os
import time
from collections.abc import Awaitable, Callable

from lotus.errors import LotusError
from lotus_desk.trading import Trading
from lotus_live.belief_watch import BeliefWatch
from lotus_live.feed.feed import Feed
from lotus_live.heap import give_back
from lotus_live.line_taker import LineTaker
from lotus_live.pipeline.beliefs import ledger_beliefs, settle_start
from lotus_live.reports.event_log import EventLog
from lotus_live.reports.signal_bus import SignalBus
from lotus_live.reports.status import DaemonStatus, status_of, write_status
from lotus_live.row_buffer import RowBuffer
from lotus_live.run_context import RunContext, RunTape
from lotus_live.shards.cross_pass import CrossPass
from lotus_live.shards.keeper import ShardKeeper
from lotus_live.signals import on_end_signals
from lotus_live.supervisor import Supervisor
from lotus_venues.begun_pool import begun_pool

BESIDE = 12  # threads for what blocks: polls, books, Herald, book and interlock have one job each at most
WATCHDOG_S = 60.0  # a ledger that took nothing for so long is part of the status


class Daemon:
    """One run of the daemon. `status` is its last one, replaced whole: other threads may read it."""

    def __init__(self, context: RunContext, tape: RunTape) -> None:
        """Read the beliefs and start the log writer; nothing is connected yet."""
        self.context, self.tape = context, tape
        late = [] if context.replaying else settle_start(context.databases, context.spec)
        beliefs = ledger_beliefs(context.databases, context.lake, context.spec)
        bus = SignalBus(context.spec, beliefs)
        waiting = 256 if context.replaying else 0
        self.log = EventLog(context.databases, context.run_id, context.mark_path, bus, waiting=waiting)
        self.rows = RowBuffer(tape, self.log, keeps_events=context.replaying)
        self.taker = LineTaker(context, tape, beliefs, bus, self.rows)
        self.watch = BeliefWatch(context, self.taker)
        self.supervisor = Supervisor(context, tape, self.taker, self.watch, self._write_status)
        self.feed: Feed | None = None
        self.status: DaemonStatus | None = None
        self.keeper: ShardKeeper | None = None
        self.cross: CrossPass | None = None
        self._stopping = ""
        self.watch.postpone(late)

    def keep(self, keeper: ShardKeeper) -> None:
        """Publish as the owner of a shard and exchange windows with the others; call it before `run`."""
        self.keeper, self.log.lease = keeper, keeper.lease
        self.cross = CrossPass(self.context, self.taker, keeper.lease, keeper.share)
        self.supervisor.beside.append(self.cross.run)

    def trade(self, trading: Trading) -> None:
        """Execute what is published from now on at a venue; call it before `run`."""
        self.taker.trading, self.log.propose = trading, trading.propose
        trading.market.book_of = self.taker.probes.book
        self.taker.pipeline.tap(trading.frame)

    def begin(self, say: "Callable[[Daemon], None] | None" = None) -> None:
        """End in order on a signal from now on, however soon it comes; then `say` that the daemon is up."""
        on_end_signals(self.stop, self.supervisor.wake)
        if say is not None:
            say(self)

    def stop(self, why: str) -> None:
        """Ask the daemon to end cleanly."""
        self._stopping = self._stopping or why
        if self.feed is not None:
            self.feed.stop()
        self.supervisor.wake()

    def fail(self, error: LotusError) -> None:
        """Ask the daemon to end with an error."""
        if self.feed is not None:
            self.feed.failed(error)

    async def run(self, feed: Feed, last: Callable[[], Awaitable[None]] | None = None) -> None:
        """Feed (into the taker) until stopped or the replayed tape is over; raises what ended it otherwise.

        With `last`, a tape that is over and its desk have that time to end.
        """
        self.feed = feed
        if self.keeper is not None:
            loop = asyncio.get_running_loop()
            self.keeper.on_lost = lambda error: loop.call_soon_threadsafe(self.fail, error)
            self.keeper.check()
        self.taker.announcer.writes_controls = not self.context.replaying
        self.taker.announcer.repeat(self.taker.beliefs, self.taker.last_ns)
        if self._stopping:
            feed.stop()
        self._note("start", {"url": feed.url, "pid": os.getpid(), "rebuilt": self.taker.counts.rebuilt})
        asyncio.get_running_loop().set_default_executor(begun_pool(BESIDE, "lotus-beside"))
        gc.collect()
        gc.freeze()
        give_back()
        self.supervisor.start(feed)
        try:
            await feed.run()
            self._stopping = self._stopping or "the tape is over"
            if last is not None:
                await last()
        except LotusError as error:
            self._stopping = str(error)
            raise
        finally:
            await self.supervisor.close()
            if self.taker.trading is not None:
                self.taker.trading.close()
            await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Close tape and log; rows whose lines a failed disk did not take are left to the next start."""
        self._note("stop", {"why": self._stopping, "lines": self.taker.counts.lines})
        try:
            self.tape.recorder.close()
            self.taker.hand_over()
        finally:
            written = self.log.close()
            self._write_status("stopped" if written else "stopped, not everything written")

    def _note(self, kind: str, body: dict[str, object]) -> None:
        self.rows.note_now(kind, self.taker.last_ns, body)

    def _write_status(self, state: str = "running") -> None:
        if time.monotonic() - self.log.last_success_s > WATCHDOG_S and self.log.waiting:
            state += ", the ledger does not take rows"
        self.status = status_of(self, state)
        write_status(self.context.status_path, self.status)
