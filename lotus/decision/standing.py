"""Where a book stands between decisions: its peak, the ratchet, and what it has turned over today.

What one decision must know of those before it, as one value that is stored with each. Turnover is what was really
moved, read from the sizes held, so that a plan that was never filled uses nothing up. A deviation of the book is the
day's risk budget: one deviation of drawdown is what a day may lose. In the literature: high-water mark.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lotus.decision.policy.policy import Risk
from lotus.timebase import day_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A book after a decision: highest equity, whether the ratchet held, the UTC day and its turnover in weights.

    `sizes` are signed base units by coin as last seen; `told_ms` is when a decision was last sent (event time).
    """

    peak_usd: float = 0.0
    ratchet: bool = False
    day: str = ""
    turnover: float = 0.0
    sizes: Mapping[str, float] = field(default_factory=dict)
    told_ms: int = 0

    def drawdown_sigmas(self, equity_usd: float, risk: Risk) -> float:
        """Return how far equity is below its peak, in deviations of the book's day."""
        if self.peak_usd <= 0.0:
            return 0.0
        return max(0.0, 1.0 - equity_usd / self.peak_usd) * 1e4 / risk.budget_bps_day


def seen(
    before: Standing, now_ms: int, equity_usd: float, sizes: Mapping[str, float], marks: Mapping[str, float]
) -> Standing:
    """Return the standing with what is held now at prices `marks`; a new day begins with nothing turned over."""
    day = day_of(now_ms)
    coins = {*before.sizes, *sizes}
    moved = [abs(sizes.get(c, 0.0) - before.sizes.get(c, 0.0)) * marks.get(c, 0.0) for c in sorted(coins)]
    return replace(
        before,
        peak_usd=max(before.peak_usd, equity_usd),
        day=day,
        turnover=(before.turnover if day == before.day else 0.0) + sum(moved) / equity_usd,
        sizes={coin: size for coin, size in sorted(sizes.items()) if size},
    )
