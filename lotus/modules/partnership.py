"""Partnership strength: how much a replica has earned to be spoken to, from measured latency and reliability.

Pure values; who measures and who asks is in `lotus_herald.replicas`. (Literature: exponentially weighted moving
average, trust with floor and ceiling; least-latency load balancing.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from lotus.hashing import round_learned

FLOOR, CEILING = 0.05, 0.95  # nobody is written off, nobody is beyond doubt
WEIGHT = 0.1  # of the newest message
USUAL_MS = 100.0  # latency at which half of the strength is left


@dataclass(frozen=True, slots=True)
class Partner:
    """What was measured of one replica: latency in ms, received to applied, and the share that went well."""

    latency_ms: float = USUAL_MS
    reliability: float = 0.5
    applied: int = 0

    @property
    def strength(self) -> float:
        """Reliability times USUAL_MS / (USUAL_MS + latency), between FLOOR and CEILING."""
        earned = self.reliability * USUAL_MS / (USUAL_MS + self.latency_ms)
        return float(round_learned(np.array(min(max(earned, FLOOR), CEILING))))


def observe(partner: Partner, latency_ms: float, well: bool) -> Partner:
    """Return a partner after one more message: x <- x + WEIGHT (observed - x) for latency and reliability.

    >>> observe(Partner(100.0, 0.5), 0.0, True)
    Partner(latency_ms=90.0, reliability=0.55, applied=1)
    """
    return replace(
        partner,
        latency_ms=partner.latency_ms + WEIGHT * (max(latency_ms, 0.0) - partner.latency_ms),
        reliability=partner.reliability + WEIGHT * (float(well) - partner.reliability),
        applied=partner.applied + 1,
    )


def best(strengths: Mapping[str, float]) -> str | None:
    """Return the strongest, the first name among equals, or None when there is nobody."""
    return min(strengths, key=lambda name: (-strengths[name], name), default=None)
