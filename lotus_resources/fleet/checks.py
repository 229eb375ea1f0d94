"""What has to be so before runs travel: broker, sessions, pools, clocks, the lake, releases; each wrong thing named.

Nothing is changed that stays: the one lock is a session's and ends with it, the marker in the lake is removed.
"""

import os
import time
from collections.abc import Callable
from typing import Any, Final

import psycopg

from lotus.errors import LakeError, LotusError
from lotus_resources.fleet.broker import BROKER_ENV, away, celery_app, release
from lotus_resources.fleet.lease import connected, held, lease_key
from lotus_resources.fleet.roll_call import WorkerFacts, differing, roll_call, skew_s
from lotus_resources.provision import LANE_POOL
from lotus_store.blobs.opening import open_blobs
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.shard_lease import TTL_S, read_shards
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
        "pools": _asked(_pools),
        "lake": _lake(settings),
        **_live_shards(settings),
        "segments": _segments(settings),
        **_of_workers(settings),
    }


def _live_shards(settings: Settings) -> dict[str, str]:
    """Return who holds the lease of each live shard; one that nobody holds is wrong. Nothing where there is none."""
    with Databases(settings) as databases, databases.connect("sig") as sig:
        rows = read_shards(sig)
    out = {}
    for row in rows:
        found = f"{row.owner}, epoch {row.epoch}, renewed {TTL_S - row.left_s:.0f} s ago"
        cause = "its daemon ended and none stands by; or the shards were given up, or divided anew"
        out[f"live shard {row.shard}"] = f"ok, {found}" if row.left_s > 0 else _wrong(found, "a holder", cause)
    return out


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
    skew = abs(skew_s())
    return _skewed("the database", skew) if skew > MOST_SKEW_S else f"ok, {skew * 1e3:.0f} ms from the database's"


def _skewed(whose: str, skew_s: float) -> str:
    return _wrong(f"the clock of {whose} is {skew_s:.1f} s off", f"{MOST_SKEW_S:g} s at most", "no time service")


def _lake(settings: Settings) -> str:
    if "://" in settings.lake_root:
        return f"ok, {settings.lake_root.partition('://')[0]}"
    return "ok on one machine: a folder; more machines need folders.lake as s3://BUCKET/PATH, or one shared file system"


def _segments(settings: Settings) -> str:
    """Put an object with a random name where closed segments go, read it and take it away."""
    if not settings.segments_url:
        return "ok on one machine: not set; workers elsewhere need folders.segments, or the tape's own folder"
    try:
        blobs, secret = open_blobs(settings.segments_url), os.urandom(16)
        name = f".doctor-{os.urandom(8).hex()}"
        blobs.put(name, secret)
        seen = blobs.get(name)
        blobs.remove(name)
    except (LotusError, OSError) as problem:
        cause = "folders.segments, its address or its credentials, or the store is away"
        return _wrong(f"folders.segments refuses: {str(problem)[:200]}", "objects that can be put and got", cause)
    if seen != secret:
        return _wrong("folders.segments gave other bytes", "those that were put", "a store that is no object store")
    shown = settings.segments_url.partition("://")[0] if "://" in settings.segments_url else "a folder"
    return f"ok, {shown}"


def _pools() -> str:
    """A limit of a pool that no asset has keeps nothing apart, and a lane of more than one run breaks the order."""
    with connected("lotus-doctor") as session:
        limits = {str(name): int(most) for name, most in session.execute(query("dagster", "pool_limits"))}
    unknown = sorted(limits.keys() - {LANE_POOL})
    if unknown:
        return _wrong(
            f"a limit for the pool {unknown[0]!r}", f"{LANE_POOL!r} alone", "a typing error, or an old release"
        )
    if limits.get(LANE_POOL, 1) != 1:
        return _wrong(f"pool {LANE_POOL!r} lets {limits[LANE_POOL]} runs go on", "1", "set by hand")
    return f"ok, {LANE_POOL}"


def _of_workers(settings: Settings) -> dict[str, str]:
    """Ask the workers that answer; where none does, or there is no broker, nothing is compared."""
    if not os.environ.get(BROKER_ENV):
        return {}
    try:
        facts = roll_call(celery_app(os.environ), settings)
    except LakeError as problem:
        return {"lake": _wrong(str(problem), "a lake that this machine may write", "rights, or another address")}
    except away():
        return {}  # said under `broker`
    if not facts:
        return {"workers": "none answers: releases, slots, clocks and lakes of other machines were not compared"}
    found = {"workers": _releases(facts), "worker slots": _worker_slots(facts, settings.fleet.slots),
             "worker clocks": _worker_clocks(facts)}  # fmt: skip
    blind = sorted({one.host for one in facts if not one.sees_lake})
    if blind:
        cause = "folders.lake is a folder of each machine's own, or the bucket's credentials are not in its environment"
        found["lake"] = _wrong(f"what is written here is not in the lake of {', '.join(blind)}", "one lake", cause)
    else:
        found["lake"] = f"ok, {len(facts)} workers read what was written here"
    return found


def _releases(facts: list[WorkerFacts]) -> str:
    other = differing(facts, lambda one: one.release, release())
    if other:
        return _wrong(f"mixed releases: {other}", f"{release()} as here", "a machine that was not updated")
    return f"ok, {len(facts)} of release {release()}"


def _worker_slots(facts: list[WorkerFacts], slots: int) -> str:
    other = differing(facts, lambda one: one.slots, slots)
    return (
        _wrong(f"slots: {other}", f"{slots} as here", "lotus.toml differs or is not found") if other else f"ok, {slots}"
    )


def _worker_clocks(facts: list[WorkerFacts]) -> str:
    off = [one for one in facts if one.skew_s is None or abs(one.skew_s) > MOST_SKEW_S]
    if not off:
        return f"ok, {max(abs(one.skew_s or 0.0) for one in facts) * 1e3:.0f} ms from the database's at most"
    if off[0].skew_s is None:
        return _wrong(f"the database does not answer {off[0].host}", "a clock to compare with", "a wall before it")
    return _skewed(off[0].host, off[0].skew_s)
