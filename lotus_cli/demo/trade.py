"""The last day of a demo, live: scored over a websocket, traded at a local exchange, learned from, told in money."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lotus.timebase import day_start_ms, next_day
from lotus_cli.terminal.progress import Progress
from lotus_live.feed.tape_file import TapeDay
from lotus_live.live import LOCAL, LiveResult, run_live
from lotus_store.databases import Databases
from lotus_store.facts.pnl.facts import SourceTrades, pnl_of
from lotus_store.facts.pnl.venues import ALL
from lotus_store.ledger.signals.executions import executions_of
from lotus_store.tape.store import TapeStore

if TYPE_CHECKING:
    from lotus_cli.demo.command import DemoPlan
    from lotus_live.daemon import Daemon

Columns = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]
SOURCES = {"probes": "venue", "book": "book"}


def run_last_day(plan: "DemoPlan", progress: Progress) -> LiveResult:
    """Run the daemon on the last day, trading at an exchange of this process; what an earlier run did is not redone."""
    settings = plan.settings
    traded = replace(settings, trading=replace(settings.trading, venue=LOCAL, exchanges=plan.venues))
    store = TapeStore(settings.home, settings.tape, settings.segments_url)
    day, lines = TapeDay(store, plan.last_day), sum(meta.lines for meta in store.segments(plan.last_day))
    progress("starting the daemon", 0)

    def watch(daemon: "Daemon") -> None:
        progress.watch(f"lines of {plan.last_day} traded live", lines, lambda: daemon.taker.counts.lines)

    run = f"live-{settings.branch}" + f"-{plan.last_day}" * plan.nightly  # a longer one goes on in the same home
    return run_live(traded, day, run_id=run, on_start=watch, trade=True)


def traded_facts(plan: "DemoPlan") -> dict[str, Any]:
    """Return what became of the last day's published windows, and what probes and book earned and paid, in USD."""
    settings, day = plan.settings, plan.last_day
    with Databases(settings) as databases, databases.connect("sig") as sig:
        executions = executions_of(sig, settings.branch, day_start_ms(day), day_start_ms(next_day(day)))
    money = pnl_of(settings, day, day)
    sources = {source.name: source for source in money.sources}
    return {
        "answered": len(executions),
        "outcomes": dict(Counter(f"void: {row.void}" if row.void else row.outcome for row in executions)),
        **{name: _line(sources[source]) for name, source in SOURCES.items() if source in sources},
        "venues": [line.as_json() for line in money.venues if line.record.coin == ALL],
    }


def _line(source: SourceTrades) -> dict[str, Any]:
    line = asdict(source.total)
    usd = {name: amount / 1e6 for name, amount in line["micro_usd"].items()}
    named = {name: line[name] for name in ("trades", "unfilled", "net_interval")}
    return named | {"usd": usd, "net_bps": line["mean_bps"]["net"], "verdict": source.total.verdict}
