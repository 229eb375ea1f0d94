"""The lease of a run: a session's advisory lock in Dagster's database, held by the process that executes it.

It ends with the process, however that ends, and nothing has to be cleaned up. A process that lost the session ends
itself: what it writes is atomic, and another one may begin. (In the literature: leases, C. Gray and D. Cheriton, 1989.)
"""

import os
import socket
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from lotus.hashing import key64
from lotus_resources.dagster_home import DSN_ENV
from lotus_store.build import VERSION
from lotus_store.postgres.queries import query

BEAT_S: Final = 2.0
LOST: Final = 70  # exit code of a process that lost its lease: EX_SOFTWARE of sysexits.h
_HALF, _MOST = 2**32, 2**63
_KEEPALIVE: Final = {"keepalives": "1", "keepalives_idle": "5", "keepalives_interval": "2", "keepalives_count": "3"}


def lease_key(run_id: str) -> int:
    """Return the number of a run's lock, a signed 64-bit integer."""
    return key64("fleet run", run_id) - _MOST


def connected(name: str) -> psycopg.Connection:
    """Return a session in Dagster's database that tells who it is; it notices in seconds that the server is gone."""
    url = make_url(os.environ[DSN_ENV])
    words = {key: str(value) for key, value in url.query.items() if key != "options"}
    words |= {"host": words.get("host") or url.host or "", "port": str(url.port or ""), "user": url.username or ""}
    words |= {"password": str(url.password or ""), "dbname": url.database or "", "application_name": name[:63]}
    given = make_conninfo(**{key: value for key, value in words.items() if value}, **_KEEPALIVE)
    return psycopg.connect(given, autocommit=True, connect_timeout=10)


@contextmanager
def lease(run_id: str) -> Iterator[bool]:
    """Hold the lease of a run while the body runs; yields False where another process holds it."""
    name = f"lotus-run {socket.gethostname()[:20]} {os.getpid()} {VERSION}"
    with connected(name) as session:
        (taken,) = session.execute(query("dagster", "take_lease"), [lease_key(run_id)]).fetchone() or (False,)
        if not taken:
            yield False
            return
        over = threading.Event()
        threading.Thread(target=_watch, args=(session, over), name="lease", daemon=True).start()
        try:
            yield True
        finally:
            over.set()


def _watch(session: psycopg.Connection, over: threading.Event) -> None:
    """End the process once the session is gone: the lock is gone with it."""
    while not over.wait(BEAT_S):
        try:
            session.execute("SELECT 1")
        except psycopg.Error:
            if not over.is_set():
                os._exit(LOST)


def held(session: psycopg.Connection, run_ids: Collection[str]) -> set[str]:
    """Return those of some runs whose lease somebody holds now."""
    keys = {lease_key(run_id) % 2**64: run_id for run_id in run_ids}
    rows = session.execute(query("dagster", "held_leases"))
    return {keys[key] for key in (int(high) * _HALF + int(low) for high, low in rows) if key in keys}


def held_or_none(run_ids: Collection[str]) -> set[str] | None:
    """Return the same over a session of its own; None where the server does not answer."""
    with suppress(psycopg.Error, OSError), connected("lotus-fleet") as session:
        return held(session, run_ids)
    return None
