"""What each braid in force was worth in the sampled six hours of the days of a week: stored windows without it.

A braid is masked: delta_pi = median of pi with it less pi without, over the windows that it moved; value = sum (pi -
pi')[P + (A/p)(Y - P)] in bps. The braids of a detector share v(all) - v(none) by `shapley`: over every order where they
are three at most, else over a few. Sums of a block, divided by its probability q, estimate the day; a week is the mean
of its days with Student's interval, none below five. Literature: see `shapley`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.curation.value import gained, over_days
from lotus.governance.credit.shapley import mean_and_variance, orders_of, shapley_lite
from lotus.hashing import round_learned

Floats = NDArray[np.float64]
ALL_ORDERS: Final = 3  # braids of a detector
MOVED: Final = 1e-9  # less is rounding of a propensity that is computed again


@dataclass(frozen=True, slots=True, eq=False)
class CreditedWindows:
    """The windows of a detector in the sampled block of a day whose payoffs are known, [n]; `q` of the block.

    `without(gone)`: the propensity that they would have had without those braids.
    """

    day: str
    detector_id: str
    braids: tuple[str, ...]
    pi: Floats
    published: NDArray[np.bool_]
    paper: Floats
    executed: Floats
    q: float
    without: Callable[[Collection[str]], Floats]


@dataclass(frozen=True, slots=True)
class BraidDay:
    """One braid on one day: windows it moved in the block, and estimates of the day, bps; `variance` that of orders."""

    day: str
    detector_id: str
    braid_id: str
    windows: int
    delta_pi: float
    value_bps: float
    shapley_bps: float
    variance: float


@dataclass(frozen=True, slots=True)
class BraidCredit:
    """A braid over the days of a week, in bps of a learning day; `low` and `high`: 95 %, None below five days."""

    detector_id: str
    braid_id: str
    windows: int
    days: int
    delta_pi: float
    delta_value: float
    low: float | None
    high: float | None
    shapley: float
    shapley_error: float


def credit_of_braids(one: CreditedWindows, seed: str) -> list[BraidDay]:
    """Return the rows of a detector's braids on a day; `seed` names the draw of the orders."""
    braids, many = one.braids, len(one.braids)
    seen: dict[frozenset[str], Floats] = {frozenset(): one.pi}

    def under(gone: Collection[str]) -> Floats:
        key = frozenset(gone)
        if key not in seen:
            seen[key] = one.without(sorted(key))
        return seen[key]

    def lost(gone: Collection[str]) -> float:
        return float(gained(one.pi, under(gone), one.published, one.paper, one.executed).sum())

    def values(order: Sequence[int]) -> Floats:  # v less v(all): a constant that no step of an order sees
        left = [set(braids) - {braids[k] for k in order[:n]} for n in range(many + 1)]
        return np.array([[-lost(gone)] for gone in left])

    orders: list[list[int]] = orders_of(many, seed)
    if many <= ALL_ORDERS:  # each beside its reverse: the mean over pairs is that over all orders, without an error
        orders = [list(o) for p in permutations(range(many)) for o in (p, p[::-1])]
    share, variance = mean_and_variance(shapley_lite(many, orders, values))
    out = []
    for k, braid in enumerate(braids):
        step = one.pi - under((braid,))
        moved = np.abs(step) > MOVED
        usual = float(np.median(step[moved])) if moved.any() else 0.0
        out.append(
            BraidDay(
                one.day, one.detector_id, braid, int(moved.sum()), usual,
                lost((braid,)) / one.q, float(share[k, 0]) / one.q,
                0.0 if many <= ALL_ORDERS else float(variance[k, 0]) / one.q**2,
            )
        )  # fmt: skip
    return out


def braid_credits(rows: Sequence[BraidDay], days: Sequence[str]) -> list[BraidCredit]:
    """Return the credit over the sampled days, in order of detector and braid; a day without a row counts as 0."""
    out = []
    for detector, braid in sorted({(row.detector_id, row.braid_id) for row in rows}):
        own = [row for row in rows if row.braid_id == braid]
        by_day = {row.day: row for row in own}
        value, share = (
            np.array([getattr(by_day[day], name) if day in by_day else 0.0 for day in days])
            for name in ("value_bps", "shapley_bps")
        )
        n, total, windows = len(days), over_days(value.tolist()), sum(row.windows for row in own)
        between = float(share.var(ddof=1)) / n if n > 1 else 0.0
        error = np.sqrt(max(between, sum(row.variance for row in own) / n**2))
        step = sum(row.delta_pi * row.windows for row in own) / max(1, windows)
        made = round_learned(np.array([step, total.total / n, share.mean(), error])).tolist()
        low, high = (None if x is None else float(round_learned(np.array([x / n]))[0]) for x in (total.low, total.high))
        out.append(BraidCredit(detector, braid, windows, n, made[0], made[1], low, high, made[2], made[3]))
    return out
