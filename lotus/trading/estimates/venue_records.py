"""What each venue did with the plans of a coin: fees, latency, slippage, fill rate and success, measured from reports.

One row a venue and coin, over executions whose entry was due. Who has fewer than `LEAST` of them is not measured: means
of so few say nothing. Success is shrunk towards that of all venues in the coin: towards one half, the venue that was
tried less would seem worse. In the literature: venue analysis, empirical Bayes shrinkage.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

from lotus.trading.estimates.executor_scores import PRIOR_REPORTS

LEAST: Final = 10  # executions of a coin from which a venue counts as measured
Key = tuple[str, str]  # venue, coin


@dataclass(frozen=True, slots=True)
class VenueExecution:
    """One execution that was due: what it planned and filled (base units), and what all its fills were worth and cost.

    `slippage_bps` and `latency_ms` are of the entry, None where nothing was filled or answered. `succeeded`: filled
    whole and without an alarm.
    """

    venue: str
    coin: str
    planned: float
    filled: float
    traded_usd: float
    fees_usd: float
    slippage_bps: float | None
    latency_ms: float | None
    succeeded: bool
    net_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class VenueRecord:
    """The row of a venue and coin over `executions`: fees over what was traded in bps, median latency, mean slippage.

    `fill_rate` is the mean share of the planned size that was filled, `success_rate` shrunk; both in [0, 1]. Slippage
    and latency of nothing are None.
    """

    venue: str
    coin: str
    executions: int
    fee_bps: float
    slippage_bps: float | None
    latency_ms: float | None
    fill_rate: float
    success_rate: float

    @property
    def is_measured(self) -> bool:
        """Whether enough is known to compare it."""
        return self.executions >= LEAST and self.slippage_bps is not None and self.latency_ms is not None


def venue_records(executions: Iterable[VenueExecution]) -> dict[Key, VenueRecord]:
    """Return the row of every venue and coin, by both.

    >>> one = VenueExecution("local", "BTC", 2.0, 1.0, 1000.0, 0.45, 1.5, 20.0, False)
    >>> venue_records([one])["local", "BTC"].fee_bps
    4.5
    """
    groups: dict[Key, list[VenueExecution]] = defaultdict(list)
    for one in executions:
        groups[one.venue, one.coin].append(one)
    coins: dict[str, list[bool]] = defaultdict(list)
    for (_, coin), rows in groups.items():
        coins[coin] += [row.succeeded for row in rows]
    return {key: _record(key, rows, fmean(coins[key[1]])) for key, rows in sorted(groups.items())}


def measured_all(records: Mapping[Key, VenueRecord], venues: Iterable[str], coin: str) -> bool:
    """Return whether every one of some venues is measured in a coin."""
    return all((row := records.get((venue, coin))) is not None and row.is_measured for venue in venues)


def _record(key: Key, rows: list[VenueExecution], usual: float) -> VenueRecord:
    traded = sum(row.traded_usd for row in rows)
    slippages = [row.slippage_bps for row in rows if row.slippage_bps is not None]
    latencies = [row.latency_ms for row in rows if row.latency_ms is not None]
    succeeded = sum(row.succeeded for row in rows)
    return VenueRecord(
        venue=key[0],
        coin=key[1],
        executions=len(rows),
        fee_bps=1e4 * sum(row.fees_usd for row in rows) / traded if traded > 0.0 else 0.0,
        slippage_bps=fmean(slippages) if slippages else None,
        latency_ms=median(latencies) if latencies else None,
        fill_rate=fmean(min(1.0, row.filled / row.planned) if row.planned > 0.0 else 0.0 for row in rows),
        success_rate=(succeeded + PRIOR_REPORTS * usual) / (len(rows) + PRIOR_REPORTS),
    )
