"""Measure the hot path: `python benchmarks/hot_path.py [--json] [--all] [--only NAME ...] [--write PAGE] [sizes]`.

From wire to score, batch, start-up: on a simulated session and on the real recording where there is one, beside the
targets, a reference of the same run and other people's engines where they are installed. `--all` adds what is not on
the hot path (scoring alone, a day's memory, two hundred coins, one night, a randomiser), `--only` runs what it names.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import (
    batch,
    detectors,
    latency,
    learning,
    memory,
    parsing,
    randomiser,
    saturation,
    scoring,
    startup,
    universe,
)
from benchmarks.harness import Figure, Sizes
from benchmarks.material import RECORDING, Tape, recorded, simulated
from benchmarks.peers import engines
from benchmarks.report import Report, machine, write_into

ON_TAPE: dict[str, Callable[[Tape, Sizes], list[Figure]]] = {
    "batch": batch.run,
    "parsing": parsing.run,
    "scoring": scoring.run,
    "detectors": detectors.run,
    "latency": latency.run,
    "saturation": saturation.run,
}
ALONE: dict[str, Callable[[Sizes], list[Figure]]] = {
    "startup": startup.run,
    "memory": memory.run,
    "learning": learning.run,
    "randomiser": randomiser.run,
}
PEERS, RSS, UNIVERSE = "peers", "rss", "universe"
HOT = ("batch", "parsing", "latency", "saturation", "startup", PEERS)
NAMES = (*ON_TAPE, *ALONE, UNIVERSE, PEERS, RSS)


def measure(
    names: Sequence[str], sizes: Sizes, *, light: bool = False, recording: Path = RECORDING, say: bool = False
) -> Report:
    """Run the benchmarks named and return what they found; `say` reports progress on the error stream."""
    load, rss_before, skipped = os.getloadavg(), _peak_rss_mb(), {}
    wanted = [name for name in ON_TAPE if name in names]
    others: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="lotus-bench-") as folder:
        made = simulated(sizes.minutes, Path(folder), light) if wanted or PEERS in names else None
        real = recorded(recording) if wanted else None
        if wanted and real is None:
            skipped["recorded"] = "the recording of 2025-09-04 does not lie beside the checkout (../shared/data)"
        if made is not None and PEERS in names:
            others, absent = engines.run(made, sizes)
            skipped |= absent
        figures = {tape.name: _on_tape(tape, wanted, sizes, say) for tape in (made, real) if tape is not None}
    alone = [figure for name in ALONE if name in names for figure in _said(name, say, partial(ALONE[name], sizes))]
    if UNIVERSE in names:
        alone += _said(UNIVERSE, say, partial(universe.run, sizes, recording))
    if RSS in names:
        reference = "the same process before any work"
        alone.append(Figure("peak_rss_mb", _peak_rss_mb(), "MB", reference, rss_before, note="of this whole run"))
    return Report(
        (*figures.get("simulated", ()), *alone, *others), tuple(figures.get("recorded", ())), skipped, machine(load)
    )


def _on_tape(tape: Tape, names: Sequence[str], sizes: Sizes, say: bool) -> list[Figure]:
    return [f for name in names for f in _said(f"{name} ({tape.name})", say, partial(ON_TAPE[name], tape, sizes))]


def _said(what: str, say: bool, call: Callable[[], list[Figure]]) -> list[Figure]:
    if say:
        print(f"  {what} ...", file=sys.stderr, flush=True)
    return call()


def _peak_rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON: the hot path's figures under their keys")
    parser.add_argument("--all", action="store_true", help="also run what is not on the hot path")
    parser.add_argument("--only", action="append", choices=NAMES, help="run only this benchmark (may be repeated)")
    parser.add_argument("--light", action="store_true", help="the demo's message rates, not the venue's")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the table between the marks of a page")
    for size in fields(Sizes):
        flag = f"--{size.name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=size.default, metavar="N", help=f"default {size.default}")
    given = parser.parse_args(arguments)
    sizes = Sizes(**{size.name: getattr(given, size.name) for size in fields(Sizes)})
    report = measure(given.only or (NAMES if given.all else HOT), sizes, light=given.light, say=True)
    if given.write:
        write_into(given.write, report.as_markdown())
    print(json.dumps(report.as_json(), indent=1) if given.json else report.as_markdown())


if __name__ == "__main__":
    main()
