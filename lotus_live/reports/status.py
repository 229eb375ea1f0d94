"""The status of the daemon, once a second: counts, silence, beliefs, paper result; one JSON file.

`status_of` is the only reader of the daemon's parts. What it returns is frozen, for the file and for other threads.
"""

import json
import os
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.detectors.scoring.scored import Scored
from lotus_live.reports.safety_status import safety_status
from lotus_store.files import make_folder
from lotus_venues.hyperliquid.venue import HyperliquidVenue

if TYPE_CHECKING:
    from lotus.trading.venue import Venue
    from lotus_desk.trading import Trading
    from lotus_herald.herald import Herald
    from lotus_live.daemon import Daemon
    from lotus_live.feed.feed import Feed
    from lotus_live.shards.cross_pass import CrossPass
    from lotus_live.shards.keeper import ShardKeeper


QUANTILES = (0.5, 0.9, 0.99)
RECENT_LINES = 4_096
Section = Mapping[str, Any]


class FailureCause(StrEnum):
    """What failed in the daemon itself; each cause is counted by itself."""

    LINES = "lines"  # something behind the decoder broke on a line: it ends there, the daemon does not
    PRIORS = "priors"  # a version came after a window of its time was scored, and was put off
    POLLS = "polls"  # the ledger did not answer when it was asked for priors and commands
    HERALD = "herald"  # the Herald ended and was begun again
    DESK = "desk"  # the trading desk ended and was begun again


@dataclass(slots=True)
class Failures:
    """How often one cause struck, its last text, and whether it lasts."""

    count: int = 0
    last: str = ""
    lasts: bool = False


@dataclass(slots=True)
class LiveCounts:
    """Running counts of one life of the daemon; `busy_ns` is the time spent inside the pipeline.

    `recent_ns` are those times of the last lines, one each.
    """

    lines: int = 0
    rebuilt: int = 0
    windows: int = 0
    ends: int = 0  # distinct ends of windows
    events: int = 0
    published: int = 0
    busy_ns: int = 0
    recent_ns: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_LINES))
    failures: dict[FailureCause, Failures] = field(
        default_factory=lambda: {cause: Failures() for cause in FailureCause}
    )
    last_failure: str = ""

    def took(self, ns: int) -> None:
        """Count one line, and the time it took."""
        self.lines += 1
        self.busy_ns += ns
        self.recent_ns.append(ns)

    def failed(self, cause: FailureCause, text: str) -> bool:
        """Count a failure; return whether it is news: the cause did not last, or its text is another."""
        failures = self.failures[cause]
        is_news = not failures.lasts or failures.last != text
        failures.count, failures.last, failures.lasts = failures.count + 1, text, True
        self.last_failure = text
        return is_news

    def mended(self, cause: FailureCause) -> None:
        """Note that a cause is over."""
        self.failures[cause].lasts = False

    def add(self, scored: Scored) -> None:
        """Count the events of one window."""
        self.windows += 1
        self.events += len(scored)
        self.published += scored.published

    def latency_us(self) -> dict[str, float]:
        """Return quantiles of what the last lines took, in microseconds, by name; nothing before the first line."""
        if not self.recent_ns:
            return {}
        values = np.quantile(np.fromiter(self.recent_ns, np.int64), QUANTILES) / 1000
        return {f"{q:g}": round(float(value), 2) for q, value in zip(QUANTILES, values, strict=True)}


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """The state of a daemon at one moment as plain values, in the order and under the names of `status.json`."""

    state: str
    run_id: str
    branch: str
    pid: int
    time: float  # seconds since 1970
    day: str
    lines: int
    rebuilt: int
    windows: int
    events: int
    published: int
    last_failure: str
    broken_lines: int
    late_priors: int
    frames: int
    gaps: int
    us_per_line: float
    latency_us: Mapping[str, float]
    last_window_end_ms: int
    priors_ver: str
    priors_versions: int
    tables_ver: str
    paper: Section
    triggers: Section | None
    accounts: Section | None
    log: Section
    trials: Sequence[str]
    refused_trials: Sequence[str]
    signals: Section
    trading: Section | None
    herald: Section | None
    book: Section | None
    failures: Mapping[str, Section]
    safety: Section
    feed: Section | None  # left out of the file before a feed
    shard: Section | None  # left out of the file of a daemon of all coins

    def as_json(self) -> dict[str, Any]:
        """Return the content of `status.json`."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if name not in ("feed", "shard") or value is not None}


def status_of(daemon: "Daemon", state: str) -> DaemonStatus:
    """Return the status of a daemon now."""
    context, taker, log = daemon.context, daemon.taker, daemon.log
    counts, pipeline, versions, trading = taker.counts, taker.pipeline, taker.beliefs.versions, taker.trading
    days, today, herald = pipeline.days, pipeline.today, daemon.supervisor.herald
    return DaemonStatus(
        state=state,
        run_id=context.run_id,
        branch=context.spec.branch,
        pid=os.getpid(),
        time=time.time(),
        day=today.day if today else "",
        lines=counts.lines,
        rebuilt=counts.rebuilt,
        windows=counts.windows,
        events=counts.events,
        published=counts.published,
        last_failure=log.last_failure or counts.last_failure,
        broken_lines=counts.failures[FailureCause.LINES].count,
        late_priors=counts.failures[FailureCause.PRIORS].count,
        frames=sum(day.frames for day in days),
        gaps=sum(day.gaps for day in days),
        us_per_line=counts.busy_ns / 1000 / max(1, counts.lines),
        latency_us=counts.latency_us(),
        last_window_end_ms=pipeline.last_window_end_ms,
        priors_ver=versions[-1].priors_ver,
        priors_versions=len(versions),
        tables_ver=today.scorer.tables.tables_ver if today else "",
        paper=taker.probes.totals.as_json() | {"open": taker.probes.open_probes},
        triggers=trading.triggers.as_json() if trading else None,
        accounts=trading.paper.as_json() if trading and trading.paper else None,
        log={"waiting": log.waiting, "written": log.written_events, "failures": log.failures},
        trials=[shadow.detector_id for shadow in pipeline.shadows],
        refused_trials=pipeline.refused_shadows[-5:],
        signals={"written": log.written_signals, "refused": log.refused_signals},
        trading=trading_status(trading) if trading else None,
        herald=herald_status(herald) if herald else None,
        book=trading.rebalancer.status() if trading else None,
        failures=failures_by_cause(daemon),
        safety=safety_status(context.settings.home),
        feed=feed_status(daemon.feed, taker.last_ns) if daemon.feed else None,
        shard=shard_status(daemon.keeper, daemon.cross, log.dropped) if daemon.keeper and daemon.cross else None,
    )


def shard_status(keeper: "ShardKeeper", cross: "CrossPass", dropped: int) -> dict[str, Any]:
    """Return the lease of a shard, its coins, and what it read of the others'."""
    lease = keeper.lease
    return {
        "name": keeper.share.name, "coins": list(cross.own), "owner": lease.owner, "epoch": lease.epoch,
        "may_publish": lease.may_publish, "renewals_failed": keeper.failures, "last_failure": keeper.last_failure,
        "dropped_batches": dropped, "records": cross.records, "missing": cross.missing,
        "exchanges_failed": cross.failures,
    }  # fmt: skip


def feed_status(feed: "Feed", last_ns: int) -> dict[str, Any]:
    """Return the connection of a feed, its silence since the last line, and its failures."""
    counts, now_ns = feed.counts, feed.clock.now_ns()
    return {
        "connected": feed.connected,
        "connects": counts.connects,
        "failures": counts.failures,
        "errors": counts.errors,
        "renewals": counts.renewals,
        "stale": feed.watch.stale,
        "stale_total": feed.watch.total,
        "unacknowledged": feed.unacknowledged,
        "silent_ms": max(0, now_ns - (last_ns or now_ns)) // 1_000_000,
        "last_error": counts.last_error,
    }


def failures_by_cause(daemon: "Daemon") -> dict[str, dict[str, Any]]:
    """Return `count` and `last` text by cause: the daemon's own causes, and those of its parts."""
    herald, trading, log = daemon.supervisor.herald, daemon.taker.trading, daemon.log
    out = {str(cause): _failures(f.count, f.last) for cause, f in daemon.taker.counts.failures.items()}
    out["ledger"] = _failures(log.failures, log.last_failure)
    if daemon.feed is not None:
        out["feed"] = _failures(daemon.feed.counts.failures, daemon.feed.counts.last_error)
    if herald is not None:
        out["handlers"] = _failures(herald.faults.total(), next(reversed(herald.faults), ""))
    if trading is not None:
        desk, rebalancer = trading.desk.counts, trading.rebalancer
        out["desk_tasks"] = _failures(desk.broken, desk.last_broken)
        out["desk_writes"] = _failures(desk.write_failures, desk.last_failure)
        out["book"] = _failures(rebalancer.counts["failed"], rebalancer.last_failure)
    return out


def _failures(count: int, last: str) -> dict[str, Any]:
    return {"count": count, "last": last}


def herald_status(herald: "Herald") -> dict[str, Any]:
    """Return what the Herald did, and what waits in the boxes that it serves."""
    waiting = herald.backlog.values()
    backlog = {
        "outbox": sum(lag.outbox for lag in waiting),
        "inbox": sum(lag.inbox for lag in waiting),
        "oldest_s": round(max((lag.oldest_s for lag in waiting), default=0.0), 3),
    }
    return {"passes": herald.passes, "carried": herald.carried, "backlog": backlog}


def trading_status(trading: "Trading") -> dict[str, Any]:
    """Return what the desk has done in this life, its accounts, and what holds trading."""
    desk = trading.desk
    differences: Counter[str] = Counter()
    for reconciler in desk.reconcilers:
        differences.update({str(kind): n for kind, n in reconciler.differences.items()})
    market = trading.market
    why = [f"kill switch: {desk.switch.state()}"] if market.halted else []
    why += [f"release_mismatch: {market.mismatch}"] if market.mismatch else []
    why += [f"clock: {hold}"] if (hold := market.clock_hold()) else []
    why += [f"{account}: {hold}" for account, hold in market.holds.items()]
    accounts = {
        name: {
            "equity_usd": str(account.equity_usd),
            "positions": {position.coin: str(position.size) for position in account.positions},
        }
        for name, account in market.accounts.items()
    }
    several: dict[str, Any] = {}
    if market.others:
        several = {"venues": list(market.venues), "away": dict(market.away), "untracked": desk.untracked}
    return {
        "venue": market.venue, "recovered": desk.recovered, "halted": market.halted, "held_by": why,
        "accounts": accounts, **asdict(desk.counts), "differences": differences, "rate": rate_status(desk.venues),
        **several,
    }  # fmt: skip


def rate_status(venues: Mapping[str, "Venue"]) -> list[dict[str, Any]]:
    """Return how much of the rate budget each account has used, for those at a venue that counts.

    `weight` of the last minute and its `limit` are those of the whole process at that venue, `reserve` of it only for
    what makes a position smaller; `actions_left` are the account's own, `refused` what this desk did not send.
    """
    rows = []
    for account, venue in venues.items():
        if isinstance(venue, HyperliquidVenue):
            budget = venue.exchange.budget
            rows.append(
                {
                    "account": account,
                    "venue": venue.name,
                    "weight": budget.weight.spent(venue.exchange.clock_ms()),
                    "limit": budget.weight.limit,
                    "reserve": budget.weight.reserve,
                    "actions_left": budget.actions_left,
                    "refused": budget.refused,
                }
            )
    return rows


def write_status(path: Path, status: DaemonStatus) -> None:
    """Replace the status file (not synced: it is only of the moment)."""
    make_folder(path.parent)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(status.as_json(), indent=1))
    temporary.replace(path)
