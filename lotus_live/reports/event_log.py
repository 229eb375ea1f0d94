"""The writer of the daemon's log: a thread of its own that puts events, orders, fills and segments into the ledger.

The feed never waits for the database. Every row is named by what it is, so writing one again changes nothing; after a
commit the mark file says up to which receive stamp everything is written. A lost database is tried again and again.
"""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg

from lotus.detectors.scoring.scored import Scored, columns_of
from lotus.errors import LotusError
from lotus.json_text import read_json
from lotus_live.paper_desk import DeskRows
from lotus_live.reports.signal_bus import Published, SignalBus
from lotus_store.databases import Connection, Databases
from lotus_store.files import make_folder
from lotus_store.ledger.shard_lease import ShardLease, is_stale
from lotus_store.ledger.signals.live_log import (
    FillRow,
    LogEntry,
    OrderRow,
    append_events,
    append_log,
    put_fills,
    put_orders,
)
from lotus_store.ledger.signals.segments import put_segment, segment_row
from lotus_store.ledger.signals.signals import SignalRow, put_signals
from lotus_store.tape.segment import SegmentMeta

logger = logging.getLogger(__name__)

RETRY_S = 0.5
LEASE_S = 0.05  # between two looks whether a lease is there again


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Rows made up to the receive stamp `until_ns`, whose lines are on the tape already."""

    until_ns: int
    events: Sequence[Scored] = ()
    rows: DeskRows = field(default_factory=DeskRows)
    log: Sequence[LogEntry] = ()
    segments: Sequence[SegmentMeta] = ()


class EventLog:
    """The writer thread of one run. `put` hands a batch over; `close` waits until everything is written."""

    def __init__(
        self, databases: Databases, run_id: str, mark: Path, bus: SignalBus | None = None, waiting: int = 256
    ) -> None:
        """Start the thread; `waiting` batches may wait before `put` makes its caller wait (0: it never does).

        `bus` makes the payloads of published windows; a recorder scores nothing and has none. `propose`, once set,
        is shown them in the transaction that stores them.
        """
        self.run_id, self.mark, self.bus = run_id, mark, bus
        self.propose: Callable[[Connection, Sequence[SignalRow]], None] | None = None
        self.lease: ShardLease | None = None  # of a daemon of one shard: nothing is written without it
        self.publishes = True  # False: what windows and probes made stays unwritten, shards publish the branch
        self.dropped = 0  # batches that waited when another owner took the shard
        self.written_events = 0
        self.written_signals = 0
        self.refused_signals = 0
        self.failures = 0
        self.last_failure = ""
        self.last_success_s = time.monotonic()
        self._databases = databases
        self._queue: queue.Queue[LogBatch | None] = queue.Queue(waiting)
        self._thread = threading.Thread(target=self._run, name="lotus-event-log", daemon=True)
        self._thread.start()

    def put(self, batch: LogBatch) -> None:
        """Hand a batch over."""
        self._queue.put(batch)

    @property
    def waiting(self) -> int:
        """Number of batches not written yet (about)."""
        return self._queue.qsize()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was handed over is written."""
        return not self._queue.unfinished_tasks

    def close(self, timeout_s: float = 60.0) -> bool:
        """Write everything that waits; return whether it was done in time."""
        self._queue.put(None)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        connection: Connection | None = None
        is_away = False
        while True:
            batches, last = self._gather()
            while batches:
                if self.lease is not None and not self.lease.may_publish:
                    if self.lease.is_lost:
                        batches = self._drop(batches)
                    else:
                        time.sleep(LEASE_S)
                    continue
                try:
                    connection = connection or self._databases.connect("sig")
                    self._write(connection, batches)
                    for _ in batches:
                        self._queue.task_done()
                    batches = []
                    if is_away:
                        logger.info("the ledger takes rows again", extra={"run_id": self.run_id})
                    is_away = False
                except (psycopg.Error, LotusError, OSError) as error:
                    self.failures += 1
                    self.last_failure = f"{type(error).__name__}: {error}"
                    if self.lease is not None and isinstance(error, psycopg.Error) and is_stale(error):
                        self.lease.lose()
                    if not is_away:
                        text = "the ledger takes no rows: %s"
                        logger.warning(text, self.last_failure, extra={"run_id": self.run_id})
                    is_away = True
                    _discard(connection)
                    connection = None
                    time.sleep(RETRY_S)
            if last:
                _discard(connection)
                return

    def _drop(self, batches: list[LogBatch]) -> list[LogBatch]:
        """Leave batches unwritten: another process publishes for the shard now, and makes the same rows."""
        if not self.dropped:
            text = "another owner took the shard: this log writes nothing any more"
            logger.error(text, extra={"run_id": self.run_id})
        self.dropped += len(batches)
        for _ in batches:
            self._queue.task_done()
        return []

    def _gather(self) -> tuple[list[LogBatch], bool]:
        batches: list[LogBatch] = []
        item = self._queue.get()
        while item is not None:
            batches.append(item)
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batches, False
        return batches, True

    def _write(self, connection: Connection, batches: Sequence[LogBatch]) -> None:
        if not self.publishes:
            batches = [replace(batch, events=(), rows=DeskRows()) for batch in batches]
        orders: dict[str, OrderRow] = {}
        fills: list[FillRow] = []
        log: list[LogEntry] = []
        for batch in batches:
            orders |= batch.rows.orders
            fills += batch.rows.fills
            log += [*batch.rows.log, *batch.log]
        events = columns_of(scored for batch in batches for scored in batch.events)
        out = self.bus.publish(events) if self.bus is not None else Published()
        log += out.refused
        with connection.transaction():
            if self.lease is not None:
                self.lease.carry(connection)
            if len(events["event_id"]):
                self.written_events += append_events(connection, self.run_id, events)
            if out.signals:
                self.written_signals += put_signals(connection, self.run_id, out.signals)
                if self.propose is not None:
                    self.propose(connection, out.signals)
            if orders:
                put_orders(connection, self.run_id, list(orders.values()))
            if fills:
                put_fills(connection, self.run_id, fills)
            if log:
                append_log(connection, self.run_id, log)
            for meta in (meta for batch in batches for meta in batch.segments):
                put_segment(connection, segment_row(meta))
        connection.commit()
        self.refused_signals += len(out.refused)
        self.last_success_s = time.monotonic()
        write_mark(self.mark, self.run_id, max(batch.until_ns for batch in batches))


def write_mark(path: Path, run_id: str, until_ns: int) -> None:
    """Say that everything up to a receive stamp is in the ledger (a rename; a killed process keeps the older one)."""
    make_folder(path.parent)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({"run_id": run_id, "until_ns": until_ns}))
    temporary.replace(path)


def read_mark(path: Path, run_id: str) -> int:
    """Return the stamp of the mark file, 0 when there is none of this run."""
    try:
        mark = read_json(path.read_text())
        return int(mark["until_ns"]) if mark["run_id"] == run_id else 0
    except (OSError, ValueError, KeyError):
        return 0


def _discard(connection: Connection | None) -> None:
    if connection is not None:
        connection.close()
