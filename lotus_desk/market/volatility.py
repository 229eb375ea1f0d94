"""How much a mid moves: its deviation over a minute in bps, from moves of a second and more, the newest counting most.

In the literature: exponentially weighted realised volatility (RiskMetrics).
"""

import math
from dataclasses import dataclass

STEP_MS = 1_000
HALF_LIFE_MS = 60_000
GAP_MS = 10_000  # a longer silence is no move: it begins anew
WARM_MS = 60_000


@dataclass(slots=True)
class MinuteVolatility:
    """The volatility of one mid; None until a minute was seen."""

    time_ms: int = 0
    mid: float = 0.0
    seen_ms: int = 0
    rate: float = 0.0  # bps^2 per ms

    def counts(self, time_ms: int) -> bool:
        """Tell whether a mid of a time counts; those within a second of the last one do with the next."""
        return not 0 <= time_ms - self.time_ms < STEP_MS

    def see(self, time_ms: int, mid: float) -> None:
        """Take in a mid of a time."""
        past_ms = time_ms - self.time_ms
        if not self.counts(time_ms):
            return
        if 0 < past_ms <= GAP_MS and self.mid > 0.0:
            move = 10_000.0 * (mid - self.mid) / self.mid
            whole = self.seen_ms + past_ms  # until a minute was seen every moment counts alike
            weight = past_ms / whole if whole <= WARM_MS else 1.0 - 0.5 ** (past_ms / HALF_LIFE_MS)
            self.rate += weight * (move * move / past_ms - self.rate)
            self.seen_ms += past_ms
        else:
            self.seen_ms, self.rate = 0, 0.0
        self.time_ms, self.mid = time_ms, mid

    @property
    def bps(self) -> float | None:
        """Deviation over a minute in bps."""
        return math.sqrt(60_000.0 * self.rate) if self.seen_ms >= WARM_MS else None
