"""The round trips of the daemon's paper probes, read from its log of orders, fills and closed probes.

A window that several runs probed counts once, by the run first in the alphabet. Nothing is split here: that is
`lotus.trading.pnl_fills`'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.manifest import Manifest
from lotus.timebase import day_of
from lotus.trading.pnl_fills import Filled
from lotus_store.databases import Connection
from lotus_store.ledger.live_log import FillRow, live_runs, read_fills, read_log, read_orders


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One closed probe as its run told it: fills of its entry and of its exit, and what it paid."""

    event_id: str
    side: int
    closed_day: str
    fees_usd: float
    funding_usd: float
    net_usd: float
    entry: tuple[FillRow, ...]
    exit: tuple[FillRow, ...]


def round_trips(sig: Connection, branch: str, days: Sequence[str]) -> list[RoundTrip]:
    """Return the probes that runs of a branch closed on some days, in the order of their windows' identities."""
    found: dict[str, RoundTrip] = {}
    for run in sorted({run for day in days for run in live_runs(sig, branch, day)}, reverse=True):
        found |= {trip.event_id: trip for trip in _of_run(sig, run) if trip.closed_day in days}
    return [found[name] for name in sorted(found)]


def filled_of(trips: Sequence[RoundTrip], windows: Mapping[str, Mapping[str, Any]], manifest: Manifest) -> Filled:
    """Return the columns of round trips; `windows` are rows of signal_events by identity (those of every trip)."""
    assets = {asset.name: asset for asset in manifest.universe}
    rows = []
    for trip in trips:
        window = windows[trip.event_id]
        asset = assets[window["asset"]]
        unit, lot = 10.0**asset.px_decimals, 10.0**-asset.sz_decimals
        close_ns = int(window["close_recv_ns"])
        rows.append((
            window["detector_id"], asset.name, int(window["window_end_ms"]), window["mid2"] / 2.0 / unit,
            close_ns + int(window["horizon_s"]) * 1_000_000_000, float(trip.side),
            sum(int(f.body["lots"]) for f in trip.entry) * lot, _average(trip.entry, unit), _average(trip.exit, unit),
            _first(trip.entry), _first(trip.exit), trip.fees_usd, trip.funding_usd,
        ))  # fmt: skip
    return Filled(*(_column(rows, k, kind) for k, kind in enumerate("OOiFiFFFFiiFF")))


def _of_run(sig: Connection, run: str) -> list[RoundTrip]:
    owner = {o.order_id: (o.event_id, str(o.body["purpose"])) for o in read_orders(sig, run)}
    fills: dict[tuple[str, str], list[FillRow]] = {}
    for fill in read_fills(sig, run):
        fills.setdefault(owner[fill.order_id], []).append(fill)
    return [
        RoundTrip(
            str(b["event_id"]), int(b["side"]), day_of(entry.time_ms), float(b["fees_usd"]), float(b["funding_usd"]),
            float(b["net_usd"]), *(tuple(fills.get((str(b["event_id"]), end), ())) for end in ("entry", "exit")),
        )
        for entry in read_log(sig, run)
        if entry.kind == "probe"
        for b in (entry.body,)
    ]  # fmt: skip


def _average(fills: Sequence[FillRow], unit: float) -> float:
    lots = sum(int(f.body["lots"]) for f in fills)
    return sum(int(f.body["px"]) * int(f.body["lots"]) for f in fills) / lots / unit if lots else float("nan")


def _first(fills: Sequence[FillRow]) -> int:
    return min((int(f.body["recv_ns"]) for f in fills), default=0)


def _column(rows: Sequence[tuple[Any, ...]], k: int, kind: str) -> NDArray[Any]:
    return np.array([row[k] for row in rows], dtype={"O": object, "i": np.int64, "F": np.float64}[kind])
