"""Round trips as a source of fills told them, and their columns; the same for every source that tells fills one by one.

Reading them is each source's own module, splitting them is `lotus.trading.accounts.pnl_fills`'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Manifest
from lotus.trading.accounts.pnl_fills import Filled
from lotus.trading.accounts.pnl_styles import PlanEnds, plan_ends
from lotus.trading.plan.styles import CROSSING, Styles


@dataclass(frozen=True, slots=True)
class TripFill:
    """One fill: price in USD, size in base units, receive stamp, and whether its order rested."""

    px: float
    size: float
    recv_ns: int
    rested: bool = False


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A closed trade of one window: fills of its entry and of its exit (none when it was not filled), what it paid.

    `planned` is its size in base units, 0 where nobody told it.
    """

    event_id: str
    side: int
    closed_day: str
    fees_usd: float
    funding_usd: float
    net_usd: float
    entry: tuple[TripFill, ...]
    exit: tuple[TripFill, ...]
    styles: Styles = CROSSING
    planned: float = 0.0

    @property
    def ends(self) -> PlanEnds:
        """How it was ordered and filled."""
        entry, leave = ([(f.px, f.size, f.rested) for f in fills] for fills in (self.entry, self.exit))
        return plan_ends(self.styles, self.planned, entry, leave)


def filled_of(trips: Sequence[RoundTrip], windows: Mapping[str, Mapping[str, Any]], manifest: Manifest) -> Filled:
    """Return the columns of round trips; `windows` are rows of signal_events by identity (those of every trip)."""
    decimals = {asset.name: asset.px_decimals for asset in manifest.universe}
    rows = []
    for trip in trips:
        window = windows[trip.event_id]
        decided_mid = window["mid2"] / 2.0 / 10.0 ** decimals[window["asset"]]
        leave_ns = int(window["close_recv_ns"]) + int(window["horizon_s"]) * 1_000_000_000
        rows.append((
            window["detector_id"], window["asset"], int(window["window_end_ms"]), decided_mid, leave_ns,
            float(trip.side), sum(fill.size for fill in trip.entry), _average(trip.entry), _average(trip.exit),
            _first(trip.entry), _first(trip.exit), trip.fees_usd, trip.funding_usd,
        ))  # fmt: skip
    return Filled(*(_column(rows, k, kind) for k, kind in enumerate("OOiFiFFFFiiFF")))


def _average(fills: Sequence[TripFill]) -> float:
    size = sum(fill.size for fill in fills)
    return sum(fill.px * fill.size for fill in fills) / size if size else float("nan")


def _first(fills: Sequence[TripFill]) -> int:
    return min((fill.recv_ns for fill in fills), default=0)


def _column(rows: Sequence[tuple[Any, ...]], k: int, kind: str) -> NDArray[Any]:
    return np.array([row[k] for row in rows], dtype={"O": object, "i": np.int64, "F": np.float64}[kind])
