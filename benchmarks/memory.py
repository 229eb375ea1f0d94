"""Memory over one day of tape: the live pipeline is fed a whole simulated day, its peak resident set read on the way.

Two processes: one makes the day's lines and writes them into a pipe, the other feeds them and does nothing else, so
that its memory is the pipeline's alone. `python benchmarks/memory.py --feed` is that other one.
"""

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.harness import Figure, Sizes
from lotus.detectors.registry import shipped_detectors
from lotus.manifest import Asset, Manifest
from lotus.simulation.spec import LIGHT, VENUE, WorldSpec
from lotus.simulation.world import World
from lotus.timebase import DAY_MS, NS_PER_MS
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_live.pipeline.lines import Pipeline
from lotus_live.pipeline.warm_up import warm_up

_PARTS = (0.25, 0.5, 1.0)


def world(minutes: int, light: bool) -> WorldSpec:
    """Return one day that begins at midnight and goes on for so many minutes (1440: the whole day)."""
    last = f"{minutes // 60:02d}:{minutes % 60:02d}"
    return WorldSpec("demo", 7, 1, sessions=(("00:00", last),), rates=LIGHT if light else VENUE)


def run(sizes: Sizes, light: bool = False) -> list[Figure]:
    """Measure `live.day_rss_mb`: peak resident set after the whole day; the reference is the peak after a quarter."""
    warm_up(_lane(world(1, light)))  # so that the process measured finds every kernel: compiling takes more than a day
    command = [sys.executable, str(Path(__file__).resolve()), str(sizes.feed_minutes), str(int(light))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as maker:
        fed = subprocess.run([*command, "--feed"], stdin=maker.stdout, stdout=subprocess.PIPE, check=True)
    peaks = json.loads(fed.stdout)
    (quarter, _), _, (whole, _) = peaks["peak_and_now_mb"]
    stages = zip(("1/4", "1/2", "the end"), peaks["peak_and_now_mb"], strict=True)
    note = f"{peaks['lines']:,} messages; peak (and then) "
    note += ", ".join(f"{peak:.1f} ({now:.1f}) at {stage}" for stage, (peak, now) in stages)
    return [Figure("live.day_rss_mb", whole, "MB", "the same run after a quarter of the day", quarter, note=note)]


def _lane(spec: WorldSpec) -> LaneSpec:
    universe = tuple(Asset(a.name, a.sz_decimals) for a in spec.assets)
    return LaneSpec(Manifest(universe=universe), universe, tuple(shipped_detectors()), "bench")


def _make(minutes: int, light: bool) -> None:
    for _, text in World(world(minutes, light)).day_pieces(0):
        sys.stdout.buffer.write(text)


def _feed(minutes: int, light: bool) -> None:
    lane = _lane(world(minutes, light))
    warm_up(lane)
    pipeline = Pipeline(lane, neutral_beliefs(lane))
    peaks: list[tuple[float, float]] = []
    start_ns = until_ns = 0
    for number, line in enumerate(sys.stdin.buffer):
        stamp, _, raw = line.rstrip(b"\n").partition(b" ")
        recv_ns = int(stamp)
        if recv_ns >= until_ns:
            if start_ns:
                peaks.append(_peak_and_now_mb())
            start_ns = start_ns or recv_ns - recv_ns % (DAY_MS * NS_PER_MS)
            until_ns = start_ns + int(_PARTS[min(len(peaks), 2)] * minutes * 60_000) * NS_PER_MS
        pipeline.feed(recv_ns, number, raw)
    peaks = [*peaks[:2], _peak_and_now_mb()]
    print(json.dumps({"lines": pipeline.lines, "peak_and_now_mb": peaks}))


def _peak_and_now_mb() -> tuple[float, float]:
    """Return this process's own memory (the usage counters of a child begin with its parent's peak)."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmHWM"].split()[0]) / 1024.0, int(fields["VmRSS"].split()[0]) / 1024.0


if __name__ == "__main__":
    (_feed if "--feed" in sys.argv else _make)(int(sys.argv[1]), sys.argv[2] == "1")
