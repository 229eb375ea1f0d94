"""What the daemon says about itself once a second: counts, silence, beliefs, paper result; one JSON file."""

import json
import os
import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lotus.detectors.scoring.scored import Scored
from lotus_live.reports.safety_status import safety_status
from lotus_store.files import make_folder

if TYPE_CHECKING:
    from lotus_desk.trading import Trading
    from lotus_herald.herald import Herald
    from lotus_live.daemon import Daemon


QUANTILES = (0.5, 0.9, 0.99)
RECENT_LINES = 4_096


class FailureCause(StrEnum):
    """What failed in the daemon itself; each cause is counted by itself."""

    LINES = "lines"  # something behind the decoder broke on a line: it ends there, the daemon does not
    PRIORS = "priors"  # a version came after a window of its time was scored, and was put off
    POLLS = "polls"  # the ledger did not answer when it was asked for priors and commands
    HERALD = "herald"  # the Herald ended and was begun again
    DESK = "desk"  # the trading desk ended and was begun again


@dataclass(slots=True)
class Failures:
    """How often one cause struck, its last words, and whether it lasts."""

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
        """Count a failure; return whether it is news: the cause did not last, or its words are others."""
        found = self.failures[cause]
        is_news = not found.lasts or found.last != text
        found.count, found.last, found.lasts = found.count + 1, text, True
        self.last_failure = text
        return is_news

    def mended(self, cause: FailureCause) -> None:
        """Say that a cause is over."""
        self.failures[cause].lasts = False

    def add(self, scored: Scored) -> None:
        """Count the events of one window."""
        self.windows += 1
        self.events += len(scored)
        self.published += scored.published

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        names = ("lines", "rebuilt", "windows", "events", "published", "last_failure")
        named = {"broken_lines": FailureCause.LINES, "late_priors": FailureCause.PRIORS}
        out = {name: getattr(self, name) for name in names}
        return out | {name: self.failures[cause].count for name, cause in named.items()}

    def latency_us(self) -> dict[str, float]:
        """Return quantiles of what the last lines took, in microseconds, by name; nothing before the first line."""
        if not self.recent_ns:
            return {}
        found = np.quantile(np.fromiter(self.recent_ns, np.int64), QUANTILES) / 1000
        return {f"{q:g}": round(float(value), 2) for q, value in zip(QUANTILES, found, strict=True)}


def status_of(daemon: "Daemon", state: str) -> dict[str, Any]:
    """Return the daemon's state as plain values."""
    feed, log, pipeline = daemon.feed, daemon.log, daemon.pipeline
    days = pipeline.days
    now_ns = feed.clock.now_ns() if feed else 0
    out = {
        "state": state,
        "run_id": daemon.run_id,
        "branch": daemon.spec.branch,
        "pid": os.getpid(),
        "time": time.time(),
        "day": pipeline.today.day if pipeline.today else "",
        **daemon.counts.as_json(),
        "frames": sum(day.frames for day in days),
        "gaps": sum(day.gaps for day in days),
        "us_per_line": daemon.counts.busy_ns / 1000 / max(1, daemon.counts.lines),
        "latency_us": daemon.counts.latency_us(),
        "last_window_end_ms": pipeline.last_window_end_ms,
        "priors_ver": daemon.beliefs.versions[-1].priors_ver,
        "priors_versions": len(daemon.beliefs.versions),
        "tables_ver": pipeline.today.scorer.tables.tables_ver if pipeline.today else "",
        "paper": daemon.desk.totals.as_json() | {"open": daemon.desk.open_probes},
        "triggers": daemon.trading.triggers.as_json() if daemon.trading else None,
        "accounts": daemon.trading.paper.as_json() if daemon.trading and daemon.trading.paper else None,
        "log": {"waiting": log.waiting, "written": log.written_events, "failures": log.failures},
        "trials": [trial.detector_id for trial in pipeline.trials],
        "refused_trials": pipeline.refused_trials[-5:],
        "signals": {"written": log.written_signals, "refused": log.refused_signals},
        "trading": trading_status(daemon.trading) if daemon.trading else None,
        "herald": herald_status(daemon.herald) if daemon.herald else None,
        "book": daemon.trading.rebalancer.status() if daemon.trading else None,
        "failures": failures_by_cause(daemon),
        "safety": safety_status(daemon.settings.home),
        "last_failure": log.last_failure or daemon.counts.last_failure,
    }
    if feed is not None:
        counts = feed.counts
        out["feed"] = {
            "connected": feed.connected,
            "connects": counts.connects,
            "failures": counts.failures,
            "errors": counts.errors,
            "renewals": counts.renewals,
            "stale": feed.watch.stale,
            "stale_total": feed.watch.total,
            "unacknowledged": feed.unacknowledged,
            "silent_ms": max(0, now_ns - (daemon.last_ns or now_ns)) // 1_000_000,
            "last_error": counts.last_error,
        }
    return out


def failures_by_cause(daemon: "Daemon") -> dict[str, dict[str, Any]]:
    """Return `count` and `last` words by cause: the daemon's own causes, and those of its parts."""
    out = {str(cause): {"count": found.count, "last": found.last} for cause, found in daemon.counts.failures.items()}
    out["ledger"] = {"count": daemon.log.failures, "last": daemon.log.last_failure}
    if daemon.feed is not None:
        out["feed"] = {"count": daemon.feed.counts.failures, "last": daemon.feed.counts.last_error}
    if daemon.herald is not None:
        faults = daemon.herald.faults
        out["handlers"] = {"count": faults.total(), "last": next(reversed(faults), "")}
    if daemon.trading is not None:
        desk, rebalancer = daemon.trading.desk.counts, daemon.trading.rebalancer
        out["desk_tasks"] = {"count": desk.broken, "last": desk.last_broken}
        out["desk_writes"] = {"count": desk.write_failures, "last": desk.last_failure}
        out["book"] = {"count": rebalancer.counts["failed"], "last": rebalancer.last_failure}
    return out


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
    found: Counter[str] = Counter()
    for reconciler in desk.reconcilers:
        found.update({str(kind): n for kind, n in reconciler.differences.items()})
    market = trading.market
    why = [f"kill switch: {desk.switch.state()}"] if market.halted else []
    why += [f"release_mismatch: {market.mismatch}"] if market.mismatch else []
    why += [f"clock: {told}"] if (told := market.clock_hold()) else []
    why += [f"{account}: {hold}" for account, hold in market.holds.items()]
    accounts = {
        name: {
            "equity_usd": str(account.equity_usd),
            "positions": {position.coin: str(position.size) for position in account.positions},
        }
        for name, account in market.accounts.items()
    }
    return {
        "venue": market.venue, "recovered": desk.recovered, "halted": market.halted, "held_by": why,
        "accounts": accounts, **asdict(desk.counts), "differences": found,
    }  # fmt: skip


def write_status(path: Path, told: Mapping[str, Any]) -> None:
    """Replace the status file (not synced: it is only of the moment)."""
    make_folder(path.parent)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(told, indent=1))
    temporary.replace(path)
