"""Whole days at the venue's rates from tape to lessons, in one process: `python -m benchmarks.whole_days HOME [C [D]]`.

Prints one JSON object: messages a second over everything, seconds of every stage and day as Dagster recorded them, wall
and processor time by part, memory, bytes, and the kernels' own rate. A backfill reads tape beside its learning, so the
tape's stages are measured once more by themselves: `tape_to_events` is the time of these and of scoring.
"""

import json
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import dagster as dg

from benchmarks.batch import everything_of
from benchmarks.harness import in_turn
from benchmarks.material import simulated
from lotus.microtape.wire.decode import decode_lines
from lotus.simulation.spec import FULL_DAY, VENUE, WorldSpec
from lotus_assets.backfill import BackfillSummary, backfill
from lotus_assets.catalogue import TAPE_ASSETS
from lotus_assets.tape_process import tape_process
from lotus_cli.demo.command import plan_of
from lotus_cli.terminal.places import tape_of
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import instance, provision
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.tape.import_world import import_world

DAYS, COINS, WORKERS = 2, 3, 2
SCORED = "signal_events"
MINUTES, REPEATS = 30, 3  # of the session on which the kernels alone are measured
Figures = dict[str, float]


def kernel_rate() -> float:
    """Return messages per processor second from text to scored windows, on one core and in memory."""
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as folder:
        tape = simulated(MINUTES, Path(folder))
    (took,) = in_turn(REPEATS, lambda: everything_of(tape, decode_lines(tape.lines, tape.universe)[0]))
    return len(tape.events) / took.typical


def world_of(coins: int, days: int) -> WorldSpec:
    """Return the demo's world over whole days; coins beyond its three are like these under other names."""
    spec = WorldSpec("demo", seed=7, days=days, sessions=FULL_DAY, rates=VENUE)
    models = [replace(spec.assets[i % COINS], name=f"C{i}") for i in range(COINS, coins)]
    return replace(spec, assets=(*spec.assets[:coins], *models))


def measure(home: str, coins: int = COINS, days: int = DAYS) -> Figures:
    """Simulate, backfill, and return the figures."""
    plan = plan_of(home, world_of(coins, days + 1))  # a demo keeps its last day for the daemon
    first, last = plan.days[0], plan.days[days - 1]
    with Databases(plan.settings).open():
        import_world(tape_of(plan.settings), plan.world, range(days))
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak of the simulation
        began, spent = time.perf_counter(), _cpu_s()
        summary = backfill(plan.settings, first, last)
        wall_s, spent = time.perf_counter() - began, _cpu_s() - spent
        stages, peak_mb = stage_seconds(plan.settings), _peak_mb()
        tape_s, tape_peak_mb = tape_alone(plan.settings, summary.days)
    kernels = kernel_rate()
    return {
        **rates(summary, wall_s, tape_s, stages, kernels),
        "backfill.wall_s": wall_s,
        "backfill.cpu_s": spent,
        "backfill.peak_mb": peak_mb,
        "tape_stages.wall_s": tape_s,
        "tape_stages.peak_mb": tape_peak_mb,
        **{f"bytes.{part}": bytes_in(plan.settings.home / part) for part in ("tape", "lake", "pg")},
        **{f"stage.{name}_s": sum(by_day.values()) for name, by_day in sorted(stages.items())},
    }


def tape_alone(settings: Settings, days: Sequence[str]) -> tuple[float, float]:
    """Read the tape of days again with nothing beside it; return the seconds and the peak memory in MB."""
    began, done, peak_mb = time.perf_counter(), 0, 0.0
    with tape_process(settings, days, True, WORKERS, lambda day, stage: None) as process:
        while done < len(days):
            reads = process.take(True)
            failed = [read for read in reads if not read.is_whole]
            if failed:
                raise SystemExit(f"tape of {failed[0].day}: {failed[0].error or failed[0].results[-1]}")
            done += len(reads)
            peak_mb = max(peak_mb, *(_peak_mb(child) for child in _children()))
        return time.perf_counter() - began, peak_mb


def rates(
    summary: BackfillSummary, wall_s: float, tape_s: float, stages: dict[str, Figures], kernels: float
) -> Figures:
    """Return what the days took by part, and how near that comes to the kernels alone."""
    messages, tape = summary.rows("raw_tape"), {entry.name for entry in TAPE_ASSETS}
    to_events_s = tape_s + sum(stages[SCORED].values())
    by_day = [sum(seconds.get(day, 0.0) for n, seconds in stages.items() if n not in tape) for day in summary.days]
    return {
        "messages": float(messages),
        "windows": float(summary.rows(SCORED)),
        "tape_to_events.msgs_per_s": messages / to_events_s,
        "tape_to_events.share_of_kernels": messages / to_events_s / kernels,
        "tape_stages.msgs_per_s": messages / tape_s,
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


def _children() -> list[str]:
    """Return the numbers of the processes that this thread started and that run."""
    return Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()


def _peak_mb(process: str = "self") -> float:
    """Return the largest resident set of a process since its peak was forgotten; 0 of one that is over."""
    status = Path(f"/proc/{process}/status").read_text()
    peaks = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return float(peaks[0].split()[1]) / 1024 if peaks else 0.0


def bytes_in(folder: Path) -> float:
    """Return how many bytes the files of a folder hold."""
    return float(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()))


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:]))))
