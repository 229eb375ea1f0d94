"""Whole days at the venue's rates from tape to lessons, in one process: `python -m benchmarks.whole_days HOME [C [D]]`.

Prints one JSON object: messages a second over the tape's stages and up to scored windows, over everything, seconds of
every stage and day as Dagster recorded them, wall and processor time by part, memory, bytes, and the kernels' own rate.
"""

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import dagster as dg

from benchmarks.batch import everything_of
from benchmarks.harness import in_turn
from benchmarks.material import simulated
from lotus.microtape.wire.decode import decode_lines
from lotus.simulation.spec import FULL_DAY, VENUE, WorldSpec
from lotus_assets.backfill import BEGINNING, BackfillSummary, backfill
from lotus_assets.catalogue import TAPE_ASSETS
from lotus_cli.demo.command import plan_of
from lotus_cli.terminal.places import tape_of
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.tape.import_world import import_world

DAYS, COINS = 2, 3
SCORED = "signal_events"
MINUTES, REPEATS = 30, 3  # of the session on which the kernels alone are measured
Figures = dict[str, float]


def kernel_rate() -> float:
    """Return messages per processor second from text to scored windows, on one core and in memory."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as folder:
        tape = simulated(MINUTES, Path(folder))
    (took,) = in_turn(REPEATS, lambda: everything_of(tape, decode_lines(tape.lines, tape.universe)[0]))
    return len(tape.events) / took.typical


class Clock:
    """Hears the steps of a backfill and keeps the processor time at which learning begins."""

    def __init__(self) -> None:
        self.learning_began = 0.0

    def __call__(self, work: str, done: float | None = None, total: float = 0.0, at: str = "") -> None:
        """Hear a step."""
        if work == BEGINNING:
            self.learning_began = time.process_time()


def world_of(coins: int, days: int) -> WorldSpec:
    """Return the demo's world over whole days; coins beyond its three are like these under other names."""
    spec = WorldSpec("demo", seed=7, days=days, sessions=FULL_DAY, rates=VENUE)
    models = [replace(spec.assets[i % COINS], name=f"C{i}") for i in range(COINS, coins)]
    return replace(spec, assets=(*spec.assets[:coins], *models))


def measure(home: str, coins: int = COINS, days: int = DAYS) -> Figures:
    """Simulate, backfill, and return the figures."""
    plan = plan_of(home, world_of(coins, days + 1))  # a demo keeps its last day for the daemon
    first, last = plan.days[0], plan.days[days - 1]
    clock = Clock()
    with Databases(plan.settings).open():
        import_world(tape_of(plan.settings), plan.world, range(days))
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the simulation
        began_cpu, began, spent = time.process_time(), time.perf_counter(), _cpu_s()
        summary = backfill(plan.settings, first, last, clock)
        wall_s, ended_cpu = time.perf_counter() - began, time.process_time()
        spent = _cpu_s() - spent
        stages = stage_seconds(plan.settings)
    peak_mb = _peak_mb()
    kernels = kernel_rate()
    return {
        **rates(summary, wall_s, stages, kernels),
        "backfill.wall_s": wall_s,
        "backfill.cpu_s": spent,
        "backfill.tape_cpu_s": clock.learning_began - began_cpu,
        "backfill.learning_cpu_s": ended_cpu - clock.learning_began,
        "backfill.peak_mb": peak_mb,
        **{f"bytes.{part}": bytes_in(plan.settings.home / part) for part in ("tape", "lake", "pg")},
        **{f"stage.{name}_s": sum(by_day.values()) for name, by_day in sorted(stages.items())},
    }


def rates(summary: BackfillSummary, wall_s: float, stages: dict[str, Figures], kernels: float) -> Figures:
    """Return what the days took by part, and how near that comes to the kernels alone."""
    messages, tape = summary.rows("raw_tape"), {entry.name for entry in TAPE_ASSETS}
    to_events_s = summary.seconds["tape"] + sum(stages[SCORED].values())
    by_day = [sum(seconds.get(day, 0.0) for n, seconds in stages.items() if n not in tape) for day in summary.days]
    return {
        "messages": float(messages),
        "windows": float(summary.rows(SCORED)),
        "tape_to_events.msgs_per_s": messages / to_events_s,
        "tape_to_events.share_of_kernels": messages / to_events_s / kernels,
        "tape_stages.msgs_per_s": messages / summary.seconds["tape"],
        "whole_backfill.msgs_per_s": messages / wall_s,
        "kernels.msgs_per_cpu_s": kernels,
        "learning.s_per_day": summary.seconds["learning"] / len(summary.days),
        "learning.growth": by_day[-1] / by_day[0],
    }


def stage_seconds(settings: Settings) -> dict[str, Figures]:
    """Return the seconds of every stage by day, as its materialisation records them."""
    lotus = Lotus.open(settings)
    out: dict[str, Figures] = defaultdict(dict)
    try:
        with instance(provision(settings, lotus.databases)) as opened:
            for key in opened.all_asset_keys():
                found = opened.fetch_materializations(dg.AssetRecordsFilter(asset_key=key), limit=10_000)
                for record in reversed(found.records):
                    made = record.asset_materialization
                    seconds = made.metadata.get("seconds") if made is not None else None
                    if made is not None and made.partition is not None and seconds is not None:
                        out[key.to_user_string()][made.partition] = float(str(seconds.value))
    finally:
        lotus.close()
    return out


def _cpu_s() -> float:
    """Return the CPU seconds of this process and of those it started that ended, the reader of the tape among them."""
    return sum(os.times()[:4])


def _peak_mb() -> float:
    """Return the largest resident set of this process since its peak was forgotten."""
    status = Path("/proc/self/status").read_text()
    return float(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024


def bytes_in(folder: Path) -> float:
    """Return how many bytes the files of a folder hold."""
    return float(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:]))))
