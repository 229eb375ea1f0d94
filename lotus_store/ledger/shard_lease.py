"""The lease of a shard of live symbols: a row of the sig database with an epoch that grows with every owner.

A holder trusts its own monotonic clock, counted from before the request was sent, and stops `MARGIN_S` before the
server would let another one in. What it writes names its epoch, and the database refuses a stale one in the same
transaction. (Leases: C. Gray and D. Cheriton, 1989; the epoch is a fencing token: M. Kleppmann, 2016.)
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psycopg

from lotus_store.postgres.queries import Connection, query

TTL_S: Final = 10.0
RENEW_S: Final = 2.0
MARGIN_S: Final = 2.0
STALE: Final = "LT001"  # SQLSTATE of a refused epoch; see `hold_epoch` in sql/sig/schema.sql


@dataclass(frozen=True, slots=True)
class ShardRow:
    """A lease as the database holds it; `left_s` seconds are left of it, negative: it ran out so long ago."""

    shard: str
    owner: str
    epoch: int
    left_s: float


class ShardLease:
    """The lease of one shard for one owner, whose name no other process may carry. `epoch` is 0 before it is taken."""

    def __init__(
        self, shard: str, owner: str, ttl_s: float = TTL_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Hold nothing yet; `ttl_s` in seconds."""
        self.shard, self.owner, self.epoch = shard, owner, 0
        self.is_lost = False  # another owner took it: what waits is never written
        self._ttl_s, self._monotonic, self._until_s = ttl_s, monotonic, float("-inf")

    @property
    def may_publish(self) -> bool:
        """Whether the holder is sure, by its own clock, that nobody else can hold the lease."""
        return self._monotonic() < self._until_s - MARGIN_S

    def take(self, connection: Connection) -> bool:
        """Take the lease if nobody holds it; return whether it was taken."""
        return self._ask(connection, "take_shard")

    def renew(self, connection: Connection) -> bool:
        """Hold the lease for another `ttl_s`; False where another owner took it."""
        if self.is_lost or not self._ask(connection, "renew_shard"):
            self.lose()
        return not self.is_lost

    def lose(self) -> None:
        """Note that another owner has the lease: this one never publishes again."""
        self.is_lost, self._until_s = True, float("-inf")

    def give_back(self, connection: Connection) -> None:
        """Let the next owner in at once."""
        self._until_s = float("-inf")
        connection.execute(query("sig", "give_shard"), self._words())
        connection.commit()

    def carry(self, connection: Connection) -> None:
        """Let the open transaction go on only while the lease is held: no other owner begins before its end.

        The server ends a transaction that then idles for 5 s: a stopped holder would keep the next owner out. Raises
        `psycopg.Error` for an epoch that is stale (see `is_stale`).
        """
        connection.execute(query("sig", "carry_epoch"), [self.shard, self.epoch])

    def _ask(self, connection: Connection, name: str) -> bool:
        sent_s = self._monotonic()
        row = connection.execute(query("sig", name), self._words()).fetchone()
        connection.commit()
        self.epoch, self._until_s = (int(row[0]), sent_s + self._ttl_s) if row else (self.epoch, float("-inf"))
        return row is not None

    def _words(self) -> dict[str, object]:
        return {"shard": self.shard, "owner": self.owner, "epoch": self.epoch, "ttl_s": self._ttl_s}


def read_shards(connection: Connection) -> list[ShardRow]:
    """Return the lease of every shard that was ever held, by name."""
    return [ShardRow(*row) for row in connection.execute(query("sig", "read_shards"))]


def is_stale(error: psycopg.Error) -> bool:
    """Return whether the database refused a write because its epoch is stale."""
    return error.sqlstate == STALE
