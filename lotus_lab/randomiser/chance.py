"""From a wish to a propensity, and from a key to a draw: pure, and the same on every machine.

The propensity is settled before the draw: the wished chance, tilted on the logit, kept `floor` away from 0 and 1, and
scaled down so that the alerts of a day last for the day. The draw is a keyed hash of detector, asset and time, so it
can be made again. In the literature: logged bandit data, counter-based random numbers, budget pacing.
"""

import math
from dataclasses import dataclass
from hashlib import blake2b

DAY_MS = 86_400_000
_UNIT = 2.0**-53
_EARLY = 1.0 / 24.0  # of a day, before which its rest is not estimated from less
_WORTH = 1e-9


def uniform(key: bytes, detector_id: str, asset: str, ts_ms: int) -> float:
    """Return the draw of a window in [0, 1): 53 bits of BLAKE2b under a key of at most 64 bytes."""
    name = f"{detector_id}\0{asset}\0{ts_ms}".encode()
    return (int.from_bytes(blake2b(name, digest_size=8, key=key).digest(), "little") >> 11) * _UNIT


def tilted(chance: float, tilt: float) -> float:
    """Return a chance whose logit is moved by `tilt`; 0 and 1 stay.

    >>> tilted(0.5, 0.0), round(tilted(0.5, 1.0), 4), tilted(0.0, 3.0)
    (0.5, 0.7311, 0.0)
    """
    if tilt == 0.0 or not 0.0 < chance < 1.0:
        return chance
    return 1.0 / (1.0 + (1.0 - chance) / chance * math.exp(-tilt))


@dataclass(slots=True)
class Pace:
    """Alerts of a UTC day so far: `wanted` sums the propensities asked for, `published` counts those acted on."""

    budget: float = math.inf
    day: int = -1
    wanted: float = 0.0
    published: int = 0

    def allowed(self, chance: float, ts_ms: int) -> float:
        """Return the propensity that the budget leaves of a chance: 0 once it is spent.

        While it lasts, what is left is spread over the rest of the day as the day so far asked for it.
        """
        day = ts_ms // DAY_MS
        if day > self.day:  # a window of the day before that comes late counts for today
            self.day, self.wanted, self.published = day, 0.0, 0
        if self.budget == math.inf:
            return chance
        left = self.budget - self.published
        if left < 1.0:
            return 0.0
        gone = max(ts_ms % DAY_MS / DAY_MS, _EARLY)
        rest = (self.wanted + chance) / gone * (1.0 - gone) + chance
        return chance * min(1.0, left / max(rest, _WORTH))

    def took(self, chance: float, published: bool) -> None:
        """Count a draw that was made; `chance` as it was before the budget."""
        self.wanted += chance
        self.published += published
