"""`python -m benchmarks.learning_day`: what a learning day costs, stage by stage, in a home made for it.

A demo world of long sessions (by default 18,000 windows a day of each of ten detectors) is simulated into a temporary
home; its first days are learned, and the last one is measured as the learning lane runs it: wall and CPU seconds of
every stage, Dagster's recording of the same day, peak memory (of the making of the home too). Where fewer detectors are
shipped, some stand there again under another name. Figures are of this machine: judge them beside another branch's of
the same hour. Other benchmarks call `learned_home` and `measured`.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import click

from benchmarks.learning import demo_manifest
from benchmarks.material import sessions
from lotus.detectors import registry
from lotus.detectors.spec import DetectorSpec
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus_assets.backfill import backfill
from lotus_assets.bodies import stage_context
from lotus_assets.learning_lane import day_results, second_thread
from lotus_assets.stages.context import Stage, StageContext, StageResult
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.settings.sections import ComputeSettings, GovernanceSettings
from lotus_store.tape.import_world import import_world
from lotus_store.tape.store import TapeStore

DETECTORS = 10
QUOTA_NS = 20_000.0  # a frame, below what all experts together take
MINUTES = 500  # of tape a day: 6,000 windows of each of 3 coins
SCORING = ("expert_set", "signal_events")


@dataclass(frozen=True, slots=True)
class LearningDay:
    """A measured day: rows of signal_events, (wall, CPU) seconds by stage, of Dagster's recording, peak bytes.

    `after_scoring_s` is wall time from the end of signal_events to the last result; stages run on two threads.
    """

    rows: int
    stages: dict[str, tuple[float, float]]
    after_scoring_s: float
    dagster: tuple[float, float]
    peak_bytes: int

    @property
    def after_scoring(self) -> tuple[float, float]:
        """Wall time after signal_events, and CPU time of the stages that follow it."""
        return self.after_scoring_s, sum(cpu for name, (_, cpu) in self.stages.items() if name not in SCORING)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        seconds = self.stages | {"after_scoring": self.after_scoring, "dagster": self.dagster}
        timed = {name: {"wall_s": round(wall, 4), "cpu_s": round(cpu, 4)} for name, (wall, cpu) in seconds.items()}
        return {"rows": self.rows, "peak_mb": self.peak_bytes // 2**20, "seconds": timed}


@contextmanager
def learned_home(spec: WorldSpec, is_governed: bool = False) -> Iterator[Settings]:
    """Give the settings of a temporary home in which all days of a world but the last are learned.

    `is_governed`: compute is drawn by lot and credited, floors are explored; such a home learns on `main`.
    """
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as folder:
        settings = replace(Settings(Path(folder)), manifest=demo_manifest(), tape="bench", branch="bench")
        if is_governed:
            compute = ComputeSettings(live_ns_per_frame=QUOTA_NS, credit_votes=True)
            settings = replace(settings, branch="main", compute=compute, governance=GovernanceSettings(explorer=True))
        import_world(TapeStore(settings.home, settings.tape), World(spec), range(spec.days))
        with Databases(settings).open():  # held, so that every step joins this server
            backfill(settings, spec.day(0), spec.day(spec.days - 2))
            yield settings


def measured(settings: Settings, day: str) -> LearningDay:
    """Learn a day whose days before are learned, then let Dagster record it."""
    lotus = Lotus.open(settings)
    try:
        with stage_context(lotus) as ctx:
            for stage in TAPE_STAGES:
                run_stage(ctx, stage, day)
            results, after_scoring_s = lane_of(ctx, day)
    finally:
        lotus.close()
    wall, cpu = time.perf_counter(), time.process_time()
    summary = backfill(settings, day, day)
    opened = summary.seconds["open"] + summary.seconds["tape"]
    recorded = time.perf_counter() - wall - opened, time.process_time() - cpu
    stages = {r.stage: (sum(r.seconds.values()), r.cpu_s) for r in results}
    rows = next(r.rows for r in results if r.stage == "signal_events")
    return LearningDay(
        rows, stages, after_scoring_s, recorded, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )


def lane_of(ctx: StageContext, day: str) -> tuple[list[StageResult], float]:
    """Run the learning stages of a day as the lane does; return their results, and wall seconds after scoring."""
    began: list[float] = []

    def begins(stage: Stage) -> None:
        if stage.name not in SCORING:
            began.append(time.perf_counter())

    with second_thread(ctx) as second:
        results = list(day_results(ctx, LEARNING_STAGES, day, second, begins))
    return results, time.perf_counter() - began[0]


@contextmanager
def learning_from(count: int) -> Iterator[None]:
    """Let so many detectors be active: the shipped ones, and those again under other names."""
    shipped, known = registry.shipped_detectors(), registry.known_detectors
    names = [f"{spec.detector_id}_{k // len(shipped)}" if k >= len(shipped) else spec.detector_id
             for k, spec in enumerate(islice(cycle(shipped), count))]  # fmt: skip
    renamed = [replace(spec, detector_id=name) for spec, name in zip(cycle(shipped), names, strict=False)]
    active = tuple(sorted(renamed, key=lambda spec: spec.detector_id))

    def some() -> tuple[DetectorSpec, ...]:
        return active

    vars(registry)["known_detectors"] = some
    registry.shipped_detectors.cache_clear()
    try:
        yield
    finally:
        vars(registry)["known_detectors"] = known
        registry.shipped_detectors.cache_clear()


@click.command()
@click.option("--minutes", default=MINUTES, show_default=True, help="Tape of each day, minutes.")
@click.option("--detectors", default=DETECTORS, show_default=True, help="Detectors that are learned from.")
@click.option("--days", default=3, show_default=True, help="Days, of which the last is measured.")
@click.option(
    "--governed", is_flag=True, help="Compute by lot, its credit and the explorer are on; --days 8 ends on a Monday."
)
@click.option("--json", "as_json", is_flag=True, help="Plain values.")
def main(minutes: int, detectors: int, days: int, governed: bool, as_json: bool) -> None:
    """Measure a learning day."""
    spec = WorldSpec("demo", 7, days, sessions=sessions(minutes, 6))
    with learning_from(detectors), learned_home(spec, governed) as settings:
        day = measured(settings, spec.day(days - 1))
    if as_json:
        json.dump(day.as_json(), sys.stdout, indent=2)
        return
    click.echo(f"{day.rows} rows of signal_events, peak {day.peak_bytes / 2**20:.0f} MB")
    for name, seconds in day.as_json()["seconds"].items():
        click.echo(f"{name:22s} wall {seconds['wall_s']:8.3f} s   CPU {seconds['cpu_s']:8.3f} s")


if __name__ == "__main__":
    main()
