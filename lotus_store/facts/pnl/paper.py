"""The round trips of the daemon's paper probes, read from its log of orders, fills and closed probes.

A window that several runs probed counts once, by the run first in the alphabet. Nothing is split here.
"""

from collections.abc import Sequence

from lotus.manifest import Manifest
from lotus.timebase import day_of
from lotus_store.databases import Connection
from lotus_store.facts.pnl.trips import RoundTrip, TripFill
from lotus_store.ledger.signals.live_log import FillRow, live_runs, read_fills, read_log, read_orders


def paper_trips(sig: Connection, branch: str, days: Sequence[str], manifest: Manifest) -> list[RoundTrip]:
    """Return the probes that runs of a branch closed on some days, in the order of their windows' identities."""
    trips: dict[str, RoundTrip] = {}
    for run in sorted({run for day in days for run in live_runs(sig, branch, day)}, reverse=True):
        trips |= {trip.event_id: trip for trip in _of_run(sig, run, manifest) if trip.closed_day in days}
    return [trips[name] for name in sorted(trips)]


def _of_run(sig: Connection, run: str, manifest: Manifest) -> list[RoundTrip]:
    owner = {o.order_id: (o.event_id, str(o.body["purpose"])) for o in read_orders(sig, run)}
    fills: dict[tuple[str, str], list[TripFill]] = {}
    for row in read_fills(sig, run):
        fills.setdefault(owner[row.order_id], []).append(_fill(row, manifest))
    trips = []
    for entry in read_log(sig, run):
        if entry.kind == "probe":
            body, name = entry.body, str(entry.body["event_id"])
            entered, left = (tuple(fills.get((name, end), ())) for end in ("entry", "exit"))
            fees, funding, net = (float(body[key]) for key in ("fees_usd", "funding_usd", "net_usd"))
            day = day_of(entry.time_ms)
            trips.append(
                RoundTrip(
                    event_id=name,
                    side=int(body["side"]),
                    closed_day=day,
                    fees_usd=fees,
                    funding_usd=funding,
                    net_usd=net,
                    entry=entered,
                    exit=left,
                )
            )
    return trips


def _fill(row: FillRow, manifest: Manifest) -> TripFill:
    asset = next(asset for asset in manifest.universe if asset.name == row.asset)
    px, size = int(row.body["px"]) / 10.0**asset.px_decimals, int(row.body["lots"]) / 10.0**asset.sz_decimals
    return TripFill(px, size, int(row.body["recv_ns"]))
