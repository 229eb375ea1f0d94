"""What the daemon does with one line: tape first, then score, then probe.

Rows go to the ledger only after their lines reached the operating system. After a crash the state is rebuilt from the
tape, and everything is made again under the same names.
"""

import logging
import time

from lotus.errors import LotusError
from lotus_desk.trading import Trading
from lotus_live.announcer import Announcer
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.recorder import TapeRecord
from lotus_live.paper_desk import ProbeTrader
from lotus_live.pipeline import rebuild
from lotus_live.pipeline.beliefs import LedgerBeliefs
from lotus_live.pipeline.lines import Pipeline
from lotus_live.reports.event_log import read_mark
from lotus_live.reports.signal_bus import SignalBus
from lotus_live.reports.status import FailureCause, LiveCounts
from lotus_live.row_buffer import RowBuffer
from lotus_live.run_context import RunContext, RunTape

logger = logging.getLogger(__name__)

REBUILD_ROWS = 2_000  # scored windows that a rebuild holds at most


class LineTaker:
    """Takes the lines of one run, fed or read back from its tape.

    With `in_step` rows are handed over at the barriers of a replay alone, and the book is decided there.
    """

    def __init__(
        self, context: RunContext, tape: RunTape, beliefs: LedgerBeliefs, bus: SignalBus, rows: RowBuffer
    ) -> None:
        """Take no line yet."""
        self.beliefs, self.rows = beliefs, rows
        self.counts = LiveCounts()
        self.probes = ProbeTrader(context.spec.manifest, context.spec.universe)
        self.pipeline = Pipeline(context.spec, beliefs, first_day=context.first_day)
        self.announcer = Announcer(context, tape.recorder, self.pipeline, rows, bus.silence)
        self.trading: Trading | None = None
        self.in_step = False
        self.last_ns = 0
        self.last_window_end_ms = 0  # ms UTC, 0 before the first window
        self._context, self._tape = context, tape
        self._handed = self._followed = 0

    def restore(self, now_ns: int) -> None:
        """Feed the tape again as far as it still matters."""
        replaying = self._context.replaying
        written_ns = read_mark(self._context.mark_path, self._context.run_id)
        plan = rebuild.rebuild_plan(self._tape.store, now_ns, written_ns, replaying)
        self.pipeline.first_day = self._context.first_day or plan.first_day
        for line in rebuild.tape_lines(self._tape.store, plan):
            self.take(line.recv_ns, line.seq, line.raw)
            self.counts.rebuilt += 1
            if len(self.rows.scored) >= REBUILD_ROWS:
                self.hand_over()
        self.hand_over()
        if self.trading is not None:
            self.trading.restored(goes_on=replaying)

    def on_line(self, line: Arrival) -> None:
        """Take one line of the feed: tape, pipeline, probes."""
        number = self._tape.recorder.line(line)
        began = time.perf_counter_ns()
        self.take(line.recv_ns, number if line.seq < 0 else line.seq, line.raw)
        self.counts.took(time.perf_counter_ns() - began)
        if self.trading is not None and self.counts.published != self._handed and not self.in_step:
            self._handed = self.counts.published
            self.hand_over()

    def take(self, recv_ns: int, seq: int, raw: bytes) -> None:
        """Take one line that is on the tape; an unforeseen error ends with it, and errors of Lotus are raised."""
        try:
            self._take_whole(recv_ns, seq, raw)
        except (LotusError, OSError, MemoryError):
            raise
        except Exception as error:
            self.last_ns = recv_ns
            text = f"line {seq} at {recv_ns} was put aside: {error!r}"
            self.counts.failed(FailureCause.LINES, text)
            logger.error("%s", text, exc_info=error, extra=self._context.ids)

    def control(self, record: TapeRecord) -> None:
        """Write a control record to the tape, under the stamp of the last line, and obey it."""
        self.take(self.last_ns, self._tape.recorder.control(self.last_ns, record), record.frame())

    def hand_over(self) -> None:
        """Give the rows made so far to the log writer, their lines first to the operating system."""
        self.rows.hand_over(self.last_ns, self.probes.take())

    def _take_whole(self, recv_ns: int, seq: int, raw: bytes) -> None:
        pipeline = self.pipeline
        step = pipeline.feed(recv_ns, seq, raw)
        self.last_ns = recv_ns
        self.probes.step(recv_ns, seq, step)
        if self.trading is not None and not (self.in_step and self.trading.market.may_wait(recv_ns, step)):
            self.probes.show(step.asset)
            self.trading.see(recv_ns, step, self.probes.venue.ladders, raw)
        for scored in step.scored:
            self.rows.scored.append(scored)
            self.counts.add(scored)
        if step.scored and pipeline.last_window_end_ms != self.last_window_end_ms:
            self.last_window_end_ms = pipeline.last_window_end_ms
            self.counts.ends += 1
        if pipeline.changes != self._followed:
            self._followed = pipeline.changes
            self.announcer.follow(self.beliefs, recv_ns)
