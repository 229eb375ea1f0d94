"""Rows that wait until their lines are with the operating system, and then go to the log writer."""

import time
from typing import Any

from lotus.detectors.scoring.scored import Scored
from lotus.timebase import NS_PER_MS
from lotus_live.paper_desk import DeskRows, entry_number
from lotus_live.reports.event_log import EventLog, LogBatch
from lotus_live.run_context import RunTape
from lotus_store.ledger.signals.live_log import LogEntry


class RowBuffer:
    """The rows of one run since the last hand-over. A replay keeps its events (`kept`)."""

    def __init__(self, tape: RunTape, log: EventLog, keeps_events: bool) -> None:
        """Hold no row."""
        self.scored: list[Scored] = []
        self.kept: list[Scored] | None = [] if keeps_events else None
        self._entries: list[LogEntry] = []
        self._tape, self._log = tape, log

    def note(self, kind: str, number: int, time_ms: int, body: dict[str, Any]) -> None:
        """Add a log entry; see `entry_number`."""
        self._entries.append(LogEntry(number, time_ms, kind, body))

    def note_now(self, kind: str, last_ns: int, body: dict[str, Any]) -> None:
        """Add a log entry that is new whenever it is made, at the receive stamp of the last line."""
        self.note(kind, entry_number(kind, time.time_ns()), last_ns // NS_PER_MS, body)

    def hand_over(self, until_ns: int, rows: DeskRows) -> None:
        """Give everything made up to a receive stamp to the log writer, the lines first to the operating system."""
        self._tape.recorder.flush()
        closed = self._tape.closed
        if not (self.scored or rows.orders or rows.fills or rows.log or self._entries or closed):
            return
        if self.kept is not None:
            self.kept += self.scored
        batch = LogBatch(until_ns, events=self.scored, rows=rows, log=self._entries, segments=tuple(closed))
        self._log.put(batch)
        self.scored, self._entries = [], []
        closed.clear()
