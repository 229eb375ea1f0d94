"""What workers say of their machines when the doctor asks: release, slots, clock, and whether they see this lake.

The doctor puts an object with a random name into the lake and every worker reads it from its own: a folder that two
machines call by one name is found so. A worker measures its clock against the database's, as the doctor does, so the
way of the answer does not count.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from lotus.errors import LotusError
from lotus_resources.fleet.broker import release
from lotus_resources.fleet.lease import connected
from lotus_store.blobs.opening import open_blobs
from lotus_store.config import Settings, load_settings
from lotus_store.postgres.queries import query

COMMAND: Final = "lotus_roll_call"
PATIENCE_S: Final = 4.0
SECRET_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What one worker said; `skew_s` (from the database's clock) is None where the database did not answer it."""

    worker: str
    host: str
    release: str
    slots: int
    skew_s: float | None
    sees_lake: bool


def answer(marker: str) -> dict[str, Any]:
    """Return what this worker says: of its machine's settings, its clock, and the marker's content in its lake."""
    facts: dict[str, Any] = {"release": release(), "slots": -1, "skew_s": None, "saw": ""}
    with suppress(LotusError, OSError):
        settings = load_settings()
        facts["slots"] = settings.fleet.slots
        facts["saw"] = open_blobs(settings.lake_root).get(marker).hex()
    with suppress(psycopg.Error, OSError):
        facts["skew_s"] = skew_s()
    return facts


def roll_call(app: Any, settings: Settings) -> list[WorkerFacts]:
    """Ask all workers within four seconds; where none answers a ping, nothing is written. The marker goes afterwards.

    Raises `BlobError` for a lake that refuses, and the errors of `away`.
    """
    if not app.control.ping(timeout=1.0):
        return []
    blobs, secret = open_blobs(settings.lake_root), os.urandom(SECRET_BYTES)
    marker = f".doctor-{os.urandom(8).hex()}"
    blobs.put(marker, secret)
    try:
        answers = app.control.broadcast(COMMAND, arguments={"marker": marker}, reply=True, timeout=PATIENCE_S)
    finally:
        blobs.remove(marker)
    workers = [_read(name, facts, secret) for one in answers or () for name, facts in one.items()]
    return sorted(workers, key=lambda one: one.worker)


def differing(facts: list[WorkerFacts], of: Callable[[WorkerFacts], Any], expected: Any) -> str:
    """Return who differs from what is expected, by machine and with what it has; empty where nobody does."""
    found: Mapping[str, Any] = {one.host: of(one) for one in facts if of(one) != expected}
    return ", ".join(f"{host} has {value}" for host, value in sorted(found.items()))


def skew_s() -> float:
    """Return how far the clock of this machine is from the database's, seconds; raises `psycopg.Error`."""
    with connected("lotus-doctor") as session:
        before = time.time()
        (theirs,) = session.execute(query("dagster", "clock")).fetchone() or (0.0,)
        return 0.5 * (before + time.time()) - float(theirs)


def _read(name: str, facts: Mapping[str, Any], secret: bytes) -> WorkerFacts:
    """Read an answer; a worker of a release before this command says an error and nothing else."""
    skew = facts.get("skew_s")
    return WorkerFacts(
        name, name.partition("@")[2], str(facts.get("release", "one that knows no roll call")),
        int(facts.get("slots", -1)), None if skew is None else float(skew), facts.get("saw") == secret.hex(),
    )  # fmt: skip
