"""Quota of one pair of modules: how many messages a minute, and what happens to the rest by priority.

A pure function of the bucket and the time; the Herald keeps the buckets. (Literature: token bucket with overdraft.)
"""

from dataclasses import dataclass
from typing import Final

from lotus.modules.intents import HIGH, URGENT

STEP_MS: Final = 60_000  # messages of one time may commit out of order by as much as a transaction takes, no more


@dataclass(frozen=True, slots=True)
class Bucket:
    """Messages that may pass at once, as of a time in ms; below zero is overdraft."""

    level: float
    at_ms: int


def take(bucket: Bucket | None, per_minute: int, priority: int, now_ms: int) -> tuple[Bucket, bool]:
    """Return the bucket after one message and whether the message passes.

    The bucket holds a minute's quota and refills evenly. Without a token a normal message does not pass; a high one may
    overdraw by another minute's; an urgent one always passes. A clock that goes back refills nothing; beyond
    `STEP_MS` it was set back, and time counts on from there, so that no step mutes a pair until it is made up for.
    """
    size = float(max(per_minute, 1))
    old = bucket or Bucket(size, now_ms)
    level = min(size, old.level + max(now_ms - old.at_ms, 0) * per_minute / 60_000.0)
    at_ms = now_ms if now_ms < old.at_ms - STEP_MS else max(now_ms, old.at_ms)
    floor = -float("inf") if priority >= URGENT else -size if priority == HIGH else 0.0
    if level - 1.0 < floor:
        return Bucket(level, at_ms), False
    return Bucket(max(level - 1.0, -size), at_ms), True
