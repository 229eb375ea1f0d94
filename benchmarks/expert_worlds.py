"""Do reliabilities find the planted micro-pattern, and only it? One small market per seed, one row per expert.

`python benchmarks/expert_worlds.py --seeds 201-250 [--expert NAME] --csv FILE`: each seed plants the pattern of one
expert (in turn, or NAME) in a market of its own: tape -> frames -> experts -> calls -> reliabilities. Seeds that the
file holds already are not made again. Prints the share of intervals that exclude 1/2, matching and others.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.micro_patterns import PLANTABLE
from benchmarks.micro_world import MicroWorld
from lotus.experts.compiler import label_rules
from lotus.experts.fusion import default_experts
from lotus.experts.weekly.calls import calls_of
from lotus.experts.weekly.reliability import reliability_of
from lotus.manifest import Asset, Manifest
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines

HEADER = ("seed", "planted", "expert", "calls", "mean", "low", "high", "excludes_half")
Row = tuple[int, str, str, int, float, float, float, int]


def frames_of(world: MicroWorld) -> FrameBatch:
    """Return the frames of a market's tape."""
    universe = tuple(Asset(a.name, a.sz_decimals) for a in world.spec.assets)
    lines = b"".join(text for _, text in world.day_pieces(0))
    return build_frames(decode_lines(lines, universe)[0], Manifest(universe=universe), universe)


def judged(seed: int, planted: str, hours: int) -> Iterator[Row]:
    """Yield one row per expert of the market of a seed; `planted` "" plants nothing."""
    experts = default_experts()
    calls = calls_of(frames_of(MicroWorld(seed, planted, hours)), experts)
    for k, (name, rule) in enumerate(zip(experts.names, label_rules(experts), strict=True)):
        r = reliability_of([calls.of(k)], rule).overall
        yield seed, planted, name, r.calls, round(r.mean, 4), round(r.low, 4), round(r.high, 4), int(r.excludes_half)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the seeds that are missing, then print the table of all rows of the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", required=True, help="first-last")
    parser.add_argument("--expert", choices=(*PLANTABLE, "none"), help="plant this pattern in every seed")
    parser.add_argument("--hours", type=int, default=12)
    parser.add_argument("--csv", type=Path, required=True)
    options = parser.parse_args(arguments)
    first, last = (int(part) for part in options.seeds.split("-"))
    known = {int(row["seed"]) for row in _rows(options.csv)}
    for seed in range(first, last + 1):
        if seed in known:
            continue
        planted = options.expert or PLANTABLE[seed % len(PLANTABLE)]
        rows = list(judged(seed, "" if planted == "none" else planted, options.hours))
        fresh = not options.csv.exists()
        with options.csv.open("a", newline="") as file:
            writer = csv.writer(file)
            writer.writerows([HEADER, *rows] if fresh else rows)
    print(table(list(_rows(options.csv))))
    return 0


def table(rows: Sequence[dict[str, str]]) -> str:
    """Return per expert: markets where its pattern pays and others, and how often the interval excluded 1/2."""
    found: dict[tuple[str, bool], list[dict[str, str]]] = defaultdict(list)
    for row in rows:
        found[row["expert"], row["expert"] == row["planted"]].append(row)
    out = [f"{'expert':24s} {'pays':>5s} {'markets':>7s} {'calls':>7s} {'mean':>6s} {'above':>6s} {'below':>6s}"]
    for (name, pays), mine in sorted(found.items(), key=lambda item: (not item[0][1], item[0][0])):
        out.append(f"{name:24s} {'yes' if pays else 'no':>5s} {_counts(mine)}")
    for pays, title in ((True, "all matching"), (False, "all others")):
        of_all = [row for (_, mine), group in found.items() if mine is pays for row in group]
        out.append(f"{title:30s} {_counts(of_all)}")
    return "\n".join(out)


def _counts(rows: Sequence[dict[str, str]]) -> str:
    n = max(len(rows), 1)
    calls, mean = sum(int(r["calls"]) for r in rows) / n, sum(float(r["mean"]) for r in rows) / n
    above, below = sum(float(r["low"]) > 0.5 for r in rows) / n, sum(float(r["high"]) < 0.5 for r in rows) / n
    return f"{len(rows):7d} {calls:7.1f} {mean:6.3f} {above:6.1%} {below:6.1%}"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.exists():
        with path.open(newline="") as file:
            yield from csv.DictReader(file)


if __name__ == "__main__":
    raise SystemExit(main())
