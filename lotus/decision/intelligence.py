"""What the decision-maker measures of itself: how diverse its views are, and how near its book is to capacity.

Both are numbers in [0, 1] for strands, lessons and pages; neither changes the decision that it describes. In the
literature: breadth (Grinold and Kahn), capacity.
"""

import math
from collections.abc import Iterable

from lotus.decision.fusion import Fused


def dm_fuse_quality(fused: Iterable[Fused]) -> float | None:
    """Return independent views over views received, weighted by the size of what was expected; None without any view.

    1 when every view adds something of its own, 1/k when k sources are copies.
    """
    rows = sorted((min(f.effective / f.views, 1.0), abs(f.mu_bps)) for f in fused)
    if not rows:
        return None
    weights = [size for _, size in rows] if any(size for _, size in rows) else [1.0] * len(rows)
    return math.fsum(q * w for (q, _), w in zip(rows, weights, strict=True)) / math.fsum(weights)


def dm_capacity_risk(coins: Iterable[tuple[float, float, float]]) -> float:
    """Return 1 - (1 - use) haircut, the mean over the book by size; 0 for a flat book.

    `coins` are (size of the weight, share of the liquidity cap in use, crowding haircut).
    """
    rows = sorted((1.0 - (1.0 - min(max(use, 0.0), 1.0)) * haircut, size) for size, use, haircut in coins)
    total = math.fsum(size for _, size in rows)
    return math.fsum(risk * size for risk, size in rows) / total if total > 0.0 else 0.0
