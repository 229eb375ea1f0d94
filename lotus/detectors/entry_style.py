"""How a position is entered or left: at once through the spread, or at rest on the own side for a while.

A style at rest may stay unfilled; its fallback says what follows then. The names are those of tickets, specs, knobs and
reports. In the literature: marketable against passive (post-only) limit orders, with pegging.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

REPEG_EVERY_MS: Final = 500  # an order at rest follows the best price at most so often
MOST_REPEGS: Final = 20
LONGEST_WAIT_MS: Final = 20_000


class EntryStyle(StrEnum):
    """Where an order goes: through the spread, to the own side's best, or a tick inside a spread of two and more."""

    CROSS = "cross"
    JOIN = "join"
    IMPROVE = "improve"


class Fallback(StrEnum):
    """What follows when the wait is over and an order at rest is not filled."""

    CROSS = "cross"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """How a detector's probes are entered: `entry:` of its spec. They are left in the same style."""

    style: EntryStyle = EntryStyle.CROSS
    fallback: Fallback = Fallback.CROSS


def wait_ms(horizon_ms: int) -> int:
    """Return how long an order at rest waits for its fill: a quarter of the horizon, 20 s at most.

    >>> wait_ms(30_000), wait_ms(300_000)
    (7500, 20000)
    """
    return min(horizon_ms // 4, LONGEST_WAIT_MS)
