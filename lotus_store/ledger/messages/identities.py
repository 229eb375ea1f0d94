"""Verify keys of a module in its own database: which hold, since when, and which a message was signed under.

Secret keys are files of `lotus_herald.keys`; this table holds the public halves that count. A retired key holds for
what was sent before its end. (Literature: key rotation with overlap.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lotus_store.postgres.queries import Connection, message_query

FILE = "keys.sql"


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A verify key (64 hexadecimal characters), the releases that sign with it, and from when to when it signs."""

    verify_key: str
    releases: frozenset[str]
    valid_from: datetime
    retired_at: datetime | None


def known_keys(connection: Connection, module: str) -> list[KnownKey]:
    """Return all keys of a module, oldest first."""
    rows: list[tuple[Any, ...]] = connection.execute(message_query(module, "read_keys", FILE), [module]).fetchall()
    return [KnownKey(key, frozenset(releases), *times) for key, releases, *times in rows]


def keys_at(keys: Sequence[KnownKey], moment: datetime) -> dict[str, frozenset[str]]:
    """Return the keys that may have signed what was written at a moment (not retired by then), with their releases."""
    return {key.verify_key: key.releases for key in keys if key.retired_at is None or key.retired_at >= moment}


def put_key(connection: Connection, module: str, verify_key: str, release: str) -> None:
    """Register a verify key, and the release that signs with it; what is there already stays as it is.

    Who locks senders out in the same transaction does so first, so that no two wait for each other.
    """
    values = {"module": module, "key": verify_key, "release": release}
    connection.execute(message_query(module, "put_key", FILE), values)


def retire_others(connection: Connection, module: str, verify_key: str) -> int:
    """Retire every key of a module but this one, from now on; return how many.

    Senders are locked out until the caller's transaction ends: who comes after it signs with the new key, whatever
    was written before it was written before the end of the old one.
    """
    connection.execute(message_query(module, "lock_outbox"))
    return connection.execute(message_query(module, "retire_others", FILE), [module, verify_key]).rowcount
