"""What each venue did with the plans that ended on some days, as the trader's choice of a venue reads it.

Probes and plans of the book together, those whose entry was due; rows by venue and coin, after one of all coins.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from lotus.timebase import day_start_ms, next_day
from lotus.trading.estimates.venue_records import VenueRecord, venue_records
from lotus_store.databases import Connection
from lotus_store.ledger.trading.outcomes import venue_executions

ALL: Final = "all"
HEAD = (
    "venue",
    "coin",
    "plans",
    "traded",
    "fees",
    "net",
    "fees bps",
    "slippage bps",
    "latency ms",
    "filled",
    "success",
)


@dataclass(frozen=True, slots=True)
class VenueLine:
    """The row of a venue and coin (`ALL`: all of them), and the sums over its plans in USD."""

    record: VenueRecord
    traded_usd: float
    fees_usd: float
    net_usd: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        sums = {name: round(getattr(self, name), 6) for name in ("traded_usd", "fees_usd", "net_usd")}
        return asdict(self.record) | sums


def venue_lines(tr: Connection, branch: str, days: Sequence[str]) -> tuple[VenueLine, ...]:
    """Return the lines of a branch for the days from the first to the last one."""
    from_ms, before_ms = day_start_ms(days[0]), day_start_ms(next_day(days[-1]))
    by_coin = venue_executions(tr, branch, from_ms, before_ms)
    rows = [replace(one, coin=ALL) for one in by_coin] + by_coin
    records = sorted(venue_records(rows).values(), key=lambda r: (r.venue, r.coin != ALL, r.coin))
    lines = []
    for record in records:
        own = [row for row in rows if (row.venue, row.coin) == (record.venue, record.coin)]
        sums = (sum(getattr(row, name) for row in own) for name in ("traded_usd", "fees_usd", "net_usd"))
        lines.append(VenueLine(record, *sums))
    return tuple(lines)


def cells(line: VenueLine) -> Sequence[str]:
    """Return the cells of a line under `HEAD`."""
    r = line.record
    slippage = "-" if r.slippage_bps is None else f"{r.slippage_bps:+.2f}"
    latency = "-" if r.latency_ms is None else f"{r.latency_ms:,.0f}"
    sums = (f"{line.traded_usd:,.0f}", f"{line.fees_usd:,.2f}", f"{line.net_usd:+,.2f}")
    shares = (f"{r.fill_rate:.1%}", f"{r.success_rate:.2f}")
    return (r.venue, r.coin, f"{r.executions:,}", *sums, f"{r.fee_bps:.2f}", slippage, latency, *shares)


def several(lines: Sequence[VenueLine]) -> bool:
    """Return whether there is anything to compare."""
    return len({line.record.venue for line in lines}) > 1
