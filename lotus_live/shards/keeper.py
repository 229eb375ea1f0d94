"""The keeper of a shard's lease in one process: it stands by until the lease is free, and then renews it in a thread.

While it could not renew, nothing of the shard is published (`ShardLease.may_publish`); once another owner took the
lease, the process ends. No tape and no feed here. (Literature: lease, leader election, fencing token.)
"""

import asyncio
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress

import psycopg

from lotus.errors import ConfigError, LedgerError, LotusError
from lotus_live.shards.share import Share
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.shard_lease import RENEW_S, TTL_S, ShardLease, ShardRow, read_shards

logger = logging.getLogger(__name__)

STAND_BY_S = 0.5
AGAIN_S = 0.25  # after a renewal that failed
AWAY = (LotusError, OSError, psycopg.Error)


class ShardKeeper:
    """Keeps the lease of one shard of a branch for this process."""

    def __init__(self, databases: Databases, share: Share, branch: str, ttl_s: float = TTL_S) -> None:
        """Hold nothing yet."""
        self.share, self.branch = share, branch
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.lease = ShardLease(share.lease(branch), owner, ttl_s)
        self.failures, self.last_failure = 0, ""
        self.on_lost: Callable[[LedgerError], object] = repr
        self._databases = databases
        self._connection: Connection | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lotus-shard-lease", daemon=True)

    async def stand_by(self, say: Callable[[str], object]) -> None:
        """Wait until the lease is this process's, saying who holds it; raises `ConfigError` beside another number."""
        named = ""
        while (held := await asyncio.to_thread(self._try)) is not None:
            if held != named:
                named = held
                say(f"standing by: {held}")
            await asyncio.sleep(STAND_BY_S)
        self._thread.start()

    def check(self) -> None:
        """Raise `LedgerError` when another owner took the lease."""
        if self.lease.is_lost:
            raise self._lost()

    def close(self) -> None:
        """Renew no more and let the next owner in at once, whatever the database says."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(5.0)
        if not self._thread.is_alive():
            with suppress(*AWAY):
                self.lease.give_back(self._connected())
            self._drop()

    def _try(self) -> str | None:
        """Take the lease if it is free; return who holds it otherwise, or why nobody can tell."""
        try:
            connection = self._connected()
            rows = read_shards(connection)
            connection.commit()
            others_number(rows, self.share, self.branch)
            held = next((row for row in rows if row.shard == self.lease.shard and row.left_s > 0), None)
            if held is None and self.lease.take(connection):
                return None
        except ConfigError:
            raise
        except AWAY as error:
            self._drop()
            return f"the ledger does not answer ({type(error).__name__})"
        if held is None:
            return "another process took it just now"
        return f"shard {held.shard} is held by {held.owner} (epoch {held.epoch})"

    def _renew(self) -> None:
        wait_s = RENEW_S
        while not self._over.wait(wait_s):
            try:
                held = not self.lease.is_lost and self.lease.renew(self._connected())
            except AWAY as error:
                self.failures, self.last_failure, wait_s = self.failures + 1, str(error), AGAIN_S
                self._drop()
                continue
            if not held:
                lost = self._lost()
                logger.error("%s", lost)
                self.on_lost(lost)
                return
            wait_s = RENEW_S

    def _lost(self) -> LedgerError:
        lease = self.lease
        cause = "this process was stopped, or could not renew, for longer than the lease lasts"
        return LedgerError(f"shard {lease.shard} has another owner than epoch {lease.epoch}", "its lease", cause)

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._databases.connect("sig")
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
            self._connection = None


def live_shards(databases: Databases, branch: str) -> list[ShardRow]:
    """Return the shards of a branch that somebody holds now (blocking)."""
    with databases.connect("sig") as connection:
        return [row for row in read_shards(connection) if row.shard.startswith(f"{branch} ") and row.left_s > 0]


def others_number(rows: list[ShardRow], share: Share, branch: str) -> None:
    """Raise `ConfigError` while a shard of the same branch, but of another number of shards, is held."""
    for row in rows:
        of, _, name = row.shard.rpartition(" ")
        if of == branch and row.left_s > 0 and name.rpartition("/")[2] != str(share.count):
            cause = "two ways to divide one universe; end its daemon first"
            raise ConfigError(f"shard {name} of {branch} is held by {row.owner}", f"shards of {share.count}", cause)
