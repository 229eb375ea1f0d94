"""What the daemon says about itself once a second: counts, silence, beliefs, paper result; one JSON file."""

import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.detectors.scored import Scored
from lotus_live.safety_status import safety_status
from lotus_store.files import make_folder

if TYPE_CHECKING:
    from lotus_desk.trading import Trading
    from lotus_live.daemon import Daemon


@dataclass(slots=True)
class LiveCounts:
    """Running counts of one life of the daemon; `busy_ns` is the time spent inside the pipeline."""

    lines: int = 0
    rebuilt: int = 0
    windows: int = 0
    ends: int = 0  # distinct ends of windows
    events: int = 0
    published: int = 0
    busy_ns: int = 0
    poll_failures: int = 0
    late_priors: int = 0  # versions that came after a window of their time was scored, and were put off
    broken_lines: int = 0  # lines on which something behind the decoder broke: they end there, the daemon does not
    last_failure: str = ""

    def add(self, scored: Scored) -> None:
        """Count the events of one window."""
        self.windows += 1
        self.events += len(scored)
        self.published += scored.published

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        names = ("lines", "rebuilt", "windows", "events", "published", "broken_lines", "poll_failures", "late_priors",
                 "last_failure")  # fmt: skip
        return {name: getattr(self, name) for name in names}


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
        "last_window_end_ms": pipeline.last_window_end_ms,
        "priors_ver": daemon.beliefs.versions[-1].priors_ver,
        "priors_versions": len(daemon.beliefs.versions),
        "tables_ver": pipeline.today.scorer.tables.tables_ver if pipeline.today else "",
        "paper": daemon.desk.totals.as_json() | {"open": daemon.desk.open_probes, "halted": daemon.desk.halted},
        "triggers": daemon.trading.triggers.as_json() if daemon.trading else None,
        "accounts": daemon.trading.paper.as_json() if daemon.trading and daemon.trading.paper else None,
        "log": {"waiting": log.waiting, "written": log.written_events, "failures": log.failures},
        "trials": [trial.detector_id for trial in pipeline.trials],
        "refused_trials": pipeline.refused_trials[-5:],
        "signals": {"written": log.written_signals, "refused": log.refused_signals},
        "trading": trading_status(daemon.trading) if daemon.trading else None,
        "herald": {"passes": daemon.herald.passes, "carried": daemon.herald.carried} if daemon.herald else None,
        "book": daemon.trading.rebalancer.status() if daemon.trading else None,
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


def trading_status(trading: "Trading") -> dict[str, Any]:
    """Return what the desk has done in this life, its accounts, what holds trading, and what watches over it."""
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
        "accounts": accounts, **asdict(desk.counts), "differences": found, "safety": safety_status(desk.switch.home),
    }  # fmt: skip


def write_status(path: Path, state: str, daemon: "Daemon") -> None:
    """Replace the status file (not synced: it is only of the moment)."""
    make_folder(path.parent)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(status_of(daemon, state), indent=1))
    temporary.replace(path)
