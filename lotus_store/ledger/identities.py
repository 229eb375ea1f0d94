"""Verify keys of a module in its own database: which hold, since when, and which a message was signed under.

Secret keys are files of `lotus_herald.keys`; this table says whose public halves count. A retired key holds for what
was said before its end. (Literature: key rotation with overlap.)
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from lotus_store.postgres.queries import message_query

Connection = psycopg.Connection[tuple[object, ...]]
FILE = "keys.sql"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A verify key (64 hexadecimal characters), the release that registered it, and from when to when it signs."""

    verify_key: str
    release: str
    valid_from: datetime
    retired_at: datetime | None


def known_keys(connection: Connection, module: str) -> list[KnownKey]:
    """Return all keys of a module, oldest first."""
    rows: list[tuple[Any, ...]] = connection.execute(message_query(module, "read_keys", FILE), [module]).fetchall()
    return [KnownKey(*row) for row in rows]


def keys_of_row(connection: Connection, module: str, seq: int) -> list[str]:
    """Return the keys that may have signed row `seq` of the module's outbox: those not retired when it was written."""
    rows = connection.execute(message_query(module, "keys_of_row", FILE), [module, seq])
    return [str(row[0]) for row in rows]


def put_key(connection: Connection, module: str, verify_key: str, release: str) -> None:
    """Register a verify key; one already there stays as it is."""
    connection.execute(message_query(module, "put_key", FILE), [module, verify_key, release])


def retire_others(connection: Connection, module: str, verify_key: str) -> int:
    """Retire every key of a module but this one, from now on; return how many.

    Senders are locked out until the caller's transaction ends: who comes after it signs with the new key, whatever
    was written before it was written before the end of the old one.
    """
    connection.execute(message_query(module, "lock_outbox"))
    return connection.execute(message_query(module, "retire_others", FILE), [module, verify_key]).rowcount
