"""What has to be so before runs travel: broker, sessions, clocks, the lake, releases; each wrong thing named first.

Nothing is changed: the one lock that is taken is a session's and ends with it.
"""

import os
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg

from lotus_resources.fleet.broker import BROKER_ENV, away, celery_app
from lotus_resources.fleet.lease import connected, held, lease_key
from lotus_store.config import Settings
from lotus_store.postgres.queries import query

MOST_SKEW_S: Final = 2.0
LEAST_REDIS: Final = (6, 2)
PROBE: Final = "doctor"
WRONG: Final = "WRONG: "


def fleet_checks(settings: Settings) -> dict[str, str]:
    """Return what was found by name; a text that begins with WRONG says what was expected and the likely cause."""
    return {
        "slots": _slots(settings),
        "broker": _asked(_broker),
        "sessions": _asked(_sessions),
        "clock": _asked(_clock),
        "lake": _lake(settings),
    }


def _wrong(found: str, expected: str, cause: str) -> str:
    return f"{WRONG}{found}; expected: {expected}; likely cause: {cause}"


def _asked(check: Callable[[], str]) -> str:
    try:
        return check()
    except (psycopg.Error, *away()) as problem:  # type: ignore[misc]
        cause = "the server is down, its address is wrong, or a wall stands before it"
        return _wrong(f"no answer ({type(problem).__name__})", "a server", cause)


def _slots(settings: Settings) -> str:
    slots = settings.fleet.slots
    return f"ok, {slots}" if slots else _wrong("[fleet] slots is 0", "at least 1", "no fleet is set up")


def _broker() -> str:
    if not os.environ.get(BROKER_ENV):
        return _wrong(f"{BROKER_ENV} is not set", "redis://HOST:PORT/0", "a shell without it")
    with celery_app(os.environ).connection_for_read() as connection:
        client: Any = connection.default_channel.client
        info = client.info()
        ours, (seconds, micros) = time.time(), client.time()
    version = tuple(map(int, str(info["redis_version"]).split(".")[:2]))
    policy, skew = info.get("maxmemory_policy", "unknown"), abs(seconds + micros * 1e-6 - ours)
    if version < LEAST_REDIS:
        return _wrong(f"Redis {info['redis_version']}", f"{'.'.join(map(str, LEAST_REDIS))} or later", "an old one")
    if policy != "noeviction":
        return _wrong(f"maxmemory-policy {policy}", "noeviction", "the settings of a cache, which may drop runs")
    if skew > MOST_SKEW_S:
        return _skewed("the broker", skew)
    return f"ok, Redis {info['redis_version']}, {policy}"


def _sessions() -> str:
    """A pooler that gives every statement another session loses leases, lane locks and LISTEN."""
    with connected("lotus-doctor") as session:
        pids = {row[0] for _ in range(5) for row in session.execute(query("dagster", "session_number"))}
        session.execute(query("dagster", "take_lease"), [lease_key(PROBE)])
        kept = held(session, [PROBE]) == {PROBE}
    if len(pids) == 1 and kept:
        return "ok, one session a connection"
    return _wrong(f"statements of one connection in {len(pids)} sessions", "one", "a pooler in transaction mode")


def _clock() -> str:
    with connected("lotus-doctor") as session:
        before = time.time()
        (theirs,) = session.execute(query("dagster", "clock")).fetchone() or (0.0,)
        skew = abs(float(theirs) - 0.5 * (before + time.time()))
    return _skewed("the database", skew) if skew > MOST_SKEW_S else f"ok, {skew * 1e3:.0f} ms from the database's"


def _skewed(whose: str, skew_s: float) -> str:
    return _wrong(f"the clock of {whose} is {skew_s:.1f} s off", f"{MOST_SKEW_S:g} s at most", "no time service")


def _lake(settings: Settings) -> str:
    if "://" in settings.lake_root:
        return f"ok, {settings.lake_root.partition('://')[0]}"
    return "ok on one machine: a folder; more machines need folders.lake as s3://BUCKET/PATH, or one shared file system"
