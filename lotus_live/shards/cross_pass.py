"""The cross-asset pass between live shards: own closed windows go to the ledger, the others' come from there.

The order parameter and the crowding of a window read the window before on all coins. What is read of other shards'
coins is written to the tape as a control record before it is used, so a replay obeys it. It is read half a second
before the windows that use it can close; what is missing then is null, and the entrainment gate fails closed.
(Literature: bulk synchronous exchange, write-ahead log.)
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import msgspec
import psycopg

from lotus.detectors.scoring.others import ClosedWindow, OthersClosed
from lotus.errors import LotusError
from lotus.microtape.wire.frame import CONTROL_PREFIX
from lotus_live.line_taker import LineTaker
from lotus_live.run_context import RunContext
from lotus_live.shards.share import Share
from lotus_store.databases import Connection
from lotus_store.ledger.shard_lease import ShardLease, is_stale
from lotus_store.ledger.shard_windows import put_windows, read_windows

logger = logging.getLogger(__name__)
T = TypeVar("T")

GRACE_S = 0.5
LOOK_S = 0.1
AWAY = (LotusError, OSError, psycopg.Error)


class OthersRecord(msgspec.Struct, frozen=True):
    """The control record of what was read of other shards."""

    others: OthersClosed

    def frame(self) -> bytes:
        """Return the record as a frame of the tape."""
        return CONTROL_PREFIX + b',"data":' + msgspec.json.encode(self) + b"}"


class CrossPass:
    """The pass of one shard; `records` counts what was written to the tape, `missing` the coins without a value."""

    def __init__(self, context: RunContext, taker: LineTaker, lease: ShardLease, share: Share) -> None:
        """Read nothing yet."""
        universe = context.spec.universe
        own = share.of(universe)
        self.own = tuple(asset.name for asset in own)
        self.others = tuple(asset.name for asset in universe if asset not in own)
        self.records = self.missing = self.failures = 0
        self._context, self._taker, self._lease = context, taker, lease
        self._window_ms = context.spec.manifest.kernel.window_ms
        self._connection: Connection | None = None
        self._at_work: asyncio.Task[Any] | None = None
        self._end_ms, self._due_s = 0, float("inf")
        self._waiting: list[tuple[int, ClosedWindow]] = []
        self._taken: dict[int, set[str]] = {}

    async def run(self) -> None:
        """Exchange windows until cancelled."""
        if not self.others:
            return
        while not self._taker.last_ns:
            await asyncio.sleep(LOOK_S)
        self._write(OthersClosed(0, (), self.others))  # from here on they are part of the market, and none is seen
        while True:
            await asyncio.sleep(LOOK_S)
            self._look()
            if self._waiting and self._lease.may_publish:
                sent = tuple(self._waiting)
                if await self._in_time(partial(self._put, sent)):
                    del self._waiting[: len(sent)]
            if time.monotonic() >= self._due_s:
                self._due_s, end_ms = float("inf"), self._end_ms
                read = await self._in_time(partial(self._read, end_ms)) or ()
                there = {one.asset for one in read}
                self._write(OthersClosed(end_ms, tuple(read), tuple(n for n in self.others if n not in there)))

    def _look(self) -> None:
        """Take what own coins closed since the last look."""
        today = self._taker.pipeline.today
        if today is None or not today.last_end_ms:
            return
        if today.last_end_ms > self._end_ms:
            self._end_ms = today.last_end_ms
            self._due_s = time.monotonic() + self._window_ms / 1000 - GRACE_S
        ends = (self._end_ms - self._window_ms, self._end_ms)
        self._taken = {end: self._taken.get(end, set()) for end in ends}
        for end, taken in self._taken.items():
            closed = today.scorer.closed(end, [name for name in self.own if name not in taken])
            taken.update(one.asset for one in closed)
            self._waiting += [(end, one) for one in closed]
        oldest_ms = self._end_ms - 2 * self._window_ms
        self._waiting = [(end, one) for end, one in self._waiting if end >= oldest_ms]

    def _write(self, others: OthersClosed) -> None:
        self._taker.control(OthersRecord(others))
        self.records += 1
        self.missing += len(others.missing)

    async def _in_time(self, work: Callable[[], T]) -> T | None:
        """Do database work in a thread; return None where it is not done within `GRACE_S`, or fails."""
        if self._at_work is not None and not self._at_work.done():
            return None
        self._at_work = asyncio.create_task(asyncio.to_thread(self._safely, work))
        await asyncio.wait({self._at_work}, timeout=GRACE_S)
        return self._at_work.result() if self._at_work.done() else None

    def _safely(self, work: Callable[[], T]) -> T | None:
        try:
            return work()
        except AWAY as error:
            self.failures += 1
            if isinstance(error, psycopg.Error) and is_stale(error):
                self._lease.lose()
            logger.warning("windows are not exchanged: %s", error, extra=self._context.ids)
            if self._connection is not None:
                with suppress(psycopg.Error):
                    self._connection.close()
                self._connection = None
            return None

    def _put(self, rows: Sequence[tuple[int, ClosedWindow]]) -> bool:
        connection = self._connected()
        with connection.transaction():
            self._lease.carry(connection)
            put_windows(connection, self._context.spec.branch, rows)
        connection.commit()
        return True

    def _read(self, end_ms: int) -> Sequence[ClosedWindow]:
        connection = self._connected()
        found = read_windows(connection, self._context.spec.branch, end_ms, self.others)
        connection.commit()
        return found

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._context.databases.connect("sig")
        return self._connection
