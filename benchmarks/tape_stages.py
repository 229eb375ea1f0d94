"""The tape stages of whole days beside their own kernels in the same run: CPU and wall seconds, messages, memory.

`python benchmarks/tape_stages.py [--days 2] [--minutes 1440] [--light] [--home HOME --tape TAPE] [--json]`. The world
is simulated into a folder that is removed, or the tape of a home is read. Dagster and the ledger are left out: the
`make` of a stage is called as `lotus backfill` calls it, a thread a day. The kernels decode lines that are in memory,
frame and annotate them, and do nothing else.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lotus.experts.machine import annotate
from lotus.manifest import Manifest
from lotus.microtape.frames.machine import FrameStream
from lotus.microtape.wire.decode import Decoder
from lotus.simulation.spec import LIGHT, VENUE, WorldSpec
from lotus.simulation.world import World
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.order import TAPE_STAGES
from lotus_resources.recent_values import RecentValues
from lotus_store.config import Settings
from lotus_store.lake import Lake
from lotus_store.tape.import_world import import_world
from lotus_store.tape.store import TapeLines, TapeStore

KERNELS, TOGETHER = "kernels", "all stages"


@dataclass(frozen=True, slots=True)
class StageCost:
    """What a stage, or the kernels, took for all days: seconds, messages a CPU second, peak memory of the process."""

    name: str
    cpu_s: float
    wall_s: float
    messages: int
    peak_mb: float

    @property
    def per_cpu_s(self) -> float:
        """Messages a CPU second."""
        return self.messages / self.cpu_s


@dataclass(frozen=True, slots=True)
class TapeFigures:
    """Costs in order: the kernels, every stage on one thread, then all stages with `workers` threads over the days."""

    costs: tuple[StageCost, ...]
    workers: int

    @property
    def share(self) -> float:
        """Messages a CPU second of all stages over those of the kernels."""
        by_name = {cost.name: cost for cost in self.costs}
        return by_name[TOGETHER].per_cpu_s / by_name[KERNELS].per_cpu_s

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON-able values."""
        costs = [asdict(cost) | {"messages_per_cpu_s": cost.per_cpu_s} for cost in self.costs]
        return {"costs": costs, "workers": self.workers, "share_of_kernels": self.share}

    def as_text(self) -> str:
        """The figures as lines of a terminal."""
        lines = [f"{'':18}{'CPU s':>9}{'wall s':>9}{'messages a CPU s':>18}{'peak MB':>9}"]
        lines += [f"{c.name:18}{c.cpu_s:9.2f}{c.wall_s:9.2f}{c.per_cpu_s:18,.0f}{c.peak_mb:9,.0f}" for c in self.costs]
        return "\n".join([*lines, f"{self.share:.2f} of the kernels' rate; {self.workers} threads over the days"])


def measure(home: Path, tape: str, lake: Path, workers: int = 2) -> TapeFigures:
    """Take every day of a tape through the kernels, through one stage after the other, and through all of them."""
    store = TapeStore(home, tape)
    days = store.days()
    messages = sum(meta.lines for day in days for meta in store.segments(day))
    alone, together = (_context(store, lake / name) for name in ("alone", "together"))

    def all_stages(day: str) -> None:
        for stage in TAPE_STAGES:
            stage.make(together, day)

    def of_all_days() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(all_stages, days))

    costs = [_kernels(alone, days, messages)]
    seconds = {stage.name: [0.0, 0.0] for stage in TAPE_STAGES}
    for day in days:
        for stage in TAPE_STAGES:
            cpu_s, wall_s = _timed(partial(stage.make, alone, day))
            seconds[stage.name] = [seconds[stage.name][0] + cpu_s, seconds[stage.name][1] + wall_s]
    costs += [StageCost(name, cpu_s, wall_s, messages, _peak_mb()) for name, (cpu_s, wall_s) in seconds.items()]
    costs.append(StageCost(TOGETHER, *_timed(of_all_days), messages, _peak_mb()))
    return TapeFigures(tuple(costs), workers)


def _kernels(ctx: StageContext, days: list[str], messages: int) -> StageCost:
    spent = []
    for day in days:
        decoder, stream = Decoder(ctx.manifest.universe), FrameStream(ctx.manifest, ctx.manifest.universe)
        for piece in ctx.tape.read_day_buffers(day):
            spent.append(_timed(partial(_framed, decoder, stream, piece)))
        spent.append(_timed(partial(annotate, stream.frames())))
    return StageCost(KERNELS, sum(cpu_s for cpu_s, _ in spent), sum(s for _, s in spent), messages, _peak_mb())


def _framed(decoder: Decoder, stream: FrameStream, piece: TapeLines) -> None:
    for batch in decoder.decode_pieces(bytearray(piece.lines), piece.first_seq):
        stream.feed(batch)


def _context(store: TapeStore, lake: Path) -> StageContext:
    manifest = Manifest(universe=store.header().assets)
    home = store.folder.parents[1]
    settings, none = Settings(home, manifest, branch="bench", tape=store.tape), cast(Any, None)
    return StageContext(settings, Lake(lake), none, store, manifest, none, RecentValues())


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def simulated(folder: Path, days: int, minutes: int, light: bool) -> str:
    """Simulate days that begin at midnight and go on for so many minutes; return the name of their tape."""
    last = f"{minutes // 60:02d}:{minutes % 60:02d}"
    spec = WorldSpec("demo", 7, days, sessions=(("00:00", last),), rates=LIGHT if light else VENUE)
    import_world(TapeStore(folder, "bench"), World(spec), range(days))
    return "bench"


def main(arguments: list[str]) -> str:
    """Return what is printed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--minutes", type=int, default=1_440)
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--home", type=Path)
    parser.add_argument("--tape", default="")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as name:
        folder = Path(name)
        home, tape = given.home or folder, given.tape
        if given.home is None:
            tape = simulated(folder, given.days, given.minutes, given.light)
        few = folder / "few"
        measure(few, simulated(few, 1, 12, True), few / "lake")  # so that every kernel is loaded before
        figures = measure(home, tape, folder / "lake")
        return json.dumps(figures.as_dict()) if given.json else figures.as_text()


if __name__ == "__main__":
    sys.stdout.write(main(sys.argv[1:]) + "\n")
