"""Nights that propose a version and hand it over, and six of them as a process that may be killed."""

from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from lotus.priors.types import ActiveBraid, Literal, Patch, PriorsVersion, Rule, priors_0, priors_version
from lotus.timebase import HOUR_MS, day_start_ms, next_day
from lotus_herald.keys import Keys
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_store.config import Settings
from lotus_store.databases import Databases

DAY = "2025-01-01"


def braid(name: str, theta: float = -0.05) -> ActiveBraid:
    return ActiveBraid(name, "micro", "d", 30, Rule.of(Literal(0, 1, 2)), Patch(theta, 1.02), lesson_id="l")


def version(day: str, *braids: ActiveBraid, branch: str = "main") -> PriorsVersion:
    return priors_version(branch, day_start_ms(next_day(day)) + 2 * HOUR_MS, braids)


def night(databases: Databases, keys: Keys, v: PriorsVersion, day: str, parent: PriorsVersion) -> None:
    with databases.connect("sig") as connection:
        propose(connection, v, day, parent.priors_ver, keys)
    hand_over(databases, v, keys, day_start_ms(next_day(day)))


def six_nights(home: Path, server_dsn: str, ready: Connection) -> None:
    """Hand six nights over, and say before that they begin."""
    ready.send("ready")
    keys, before, day = Keys(home / "keys"), priors_0("main"), DAY
    with Databases(replace(Settings(home), server_dsn=server_dsn)) as databases:
        for n in range(6):
            v = version(day, braid(f"b{n}", -0.01 * n))
            night(databases, keys, v, day, before)
            before, day = v, next_day(day)
