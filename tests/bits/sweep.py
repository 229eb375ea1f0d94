"""The proof of bits: one stretch of the frozen tape in processes that compile and compute differently, same hashes.

Beside it stands a stream of random events with everything odd in it, which no simulated tape holds.

`python tests/bits/sweep.py [--lines N] [--cache FOLDER]` runs every combination of optimisation level, CPU model and
C-library dispatch, each with a kernel cache of its own, and compares frames, annotations, events and state, in batch
and live, with those of the first one. Exit code 1 and the names of what differs otherwise. (Differential testing.)
"""

import argparse
import hashlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TAPE = ROOT / "fixtures" / "demo-7.zst"
NO_VECTOR_LIBM = "glibc.cpu.hwcaps=-AVX2,-AVX512F,-FMA,-FMA4,-AVX,-XSAVE"
HOST = ""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to compile and compute; `cpu` is a name of LLVM ("" = this machine with all it can)."""

    opt: int
    cpu: str = HOST
    tunables: str = ""

    @property
    def name(self) -> str:
        """Readable and usable as a folder."""
        return f"O{self.opt}-{self.cpu or 'host'}" + ("-plainlibc" if self.tunables else "")

    def environment(self, cache: Path | None) -> dict[str, str]:
        """Return the variables that make a process go this way; without `cache` it uses the checkout's."""
        out = {"NUMBA_OPT": str(self.opt), "PYTHONPATH": str(ROOT)}
        if self.cpu:
            out |= {"NUMBA_CPU_NAME": self.cpu, "NUMBA_CPU_FEATURES": ""}
        if self.tunables:
            out["GLIBC_TUNABLES"] = self.tunables
        if cache is not None:
            out["LOTUS_KERNEL_CACHE"] = str(cache / self.name)
        return out


USUAL = Way(3)
FAR = Way(1, "generic", NO_VECTOR_LIBM)
LOTUS = [sys.executable, "-c", "from lotus_cli.main import main; main()"]
TWICE = {  # kernels compiled for more than one kind of arguments, and why
    "wire_text.put": "copies its own rows, which may be written, and texts that are constants, which may not",
    "boxes.box_moments": "reads sums of a family by rows and those of a night by columns, too large to copy",
    "boxes.gather": "of box_moments",
    "boxes.weighted_days": "of the same sums",
    "forward._take_usual": "reads the totals of a night by columns, those of a rule by rows",
}
WAYS = (
    USUAL,
    Way(3, tunables=NO_VECTOR_LIBM),
    *(Way(opt, cpu) for cpu in ("generic", "x86-64-v2", "x86-64-v3") for opt in (1, 2, 3)),
    Way(1),
    Way(2),
    FAR,
)


def hashes(way: Way, lines: int, cache: Path | None) -> dict[str, str]:
    """Run one way in a process of its own; return its hashes by table."""
    command = [sys.executable, str(Path(__file__).resolve()), "--child", "--lines", str(lines)]
    run = subprocess.run(command, check=True, capture_output=True, env=os.environ | way.environment(cache))
    found: dict[str, str] = json.loads(run.stdout)
    return found


def differences(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return the names of tables that differ."""
    return [name for name in expected if expected[name] != found.get(name)]


def in_cache(folder: Path) -> dict[str, str]:
    """Return what each file holds: its path, and the kinds of arguments that its code takes."""
    from lotus.jit_cache import SUFFIX, read_sealed

    bodies = {str(path): read_sealed(path) for path in folder.rglob(f"*{SUFFIX}")}
    return {name: str(pickle.loads(body)[1].argtypes) for name, body in bodies.items() if body is not None}


def twice(made: dict[str, str]) -> set[str]:
    """Return the kernels that are stored more than once, or for the value of an argument."""
    kernels = Counter(".".join(Path(name).name.split(".")[-4:-2]) for name in made)
    return {name for name, times in kernels.items() if times > 1} | {
        n for n, kinds in made.items() if "Literal[" in kinds
    }


def warm_faults(folder: Path) -> list[str]:
    """Let `lotus warm` fill a cache the far way; return what is wrong with it: every kernel once, none again."""
    from lotus_cli.upkeep.warm_jobs import KERNELS

    environment = os.environ | FAR.environment(folder)
    run = subprocess.run([*LOTUS, "warm", "--json"], check=True, capture_output=True, text=True, env=environment)
    found, made = json.loads(run.stdout), in_cache(folder)
    words = [sys.executable, "-P", "-m", "lotus_cli.upkeep.warm_jobs", "windows"]
    again = subprocess.run(words, check=True, capture_output=True, text=True, env=environment).stdout.strip()
    wrong = {
        "live and batch differ": not found["parity"],
        f"{found['left_by_jobs']} kernels left by the jobs": found["left_by_jobs"] != 0,
        f"{len(made)} kernels, where {KERNELS} are expected": abs(len(made) - KERNELS) > KERNELS / 10,
        f"compiled twice: {sorted(twice(made) ^ set(TWICE))}": twice(made) != set(TWICE),
        f"{again} compiled again": again != "0" or in_cache(folder) != made,
    }
    return [words for words, is_wrong in wrong.items() if is_wrong]


def compute(lines: int) -> dict[str, str]:
    """Take the first lines of the frozen tape through batch and live; return hashes of all that came out."""
    from lotus.detectors.registry import shipped_detectors
    from lotus.manifest import Manifest
    from lotus_live.feed.tape_file import TapeFile
    from lotus_live.parity import events_hash, neutral_beliefs
    from lotus_live.pipeline.batch import score_tape
    from lotus_live.pipeline.collector import DayCollector
    from lotus_live.pipeline.day_lane import LaneSpec
    from lotus_live.pipeline.lines import Pipeline

    tape = TapeFile((TAPE,))
    spec = LaneSpec(Manifest(), tape.universe, shipped_detectors(), "bits")
    beliefs = neutral_beliefs(spec)
    arrivals = list(islice(tape.arrivals(), lines))
    (day,) = score_tape(arrivals, spec, beliefs)
    live = DayCollector()
    pipeline = Pipeline(spec, beliefs, lambda name: live)
    for line in arrivals:
        live.scored.extend(pipeline.feed(line.recv_ns, line.seq, line.raw).scored)
    pipeline.settle()
    assert pipeline.today is not None
    machine = pipeline.today.line
    gate = machine.decoder.arrays[4]
    state = hashlib.blake2b(machine.frames.state_bytes() + gate.tobytes(), digest_size=16).hexdigest()
    frames = live.frames(spec.universe, spec.manifest.kernel.cadence_ms)
    return odd_hashes() | {
        "batch frames": day.frames.content_hash(),
        "batch annotations": day.annotations.content_hash(),
        "batch events": events_hash(day.events),
        "live frames": frames.content_hash(),
        "live annotations": live.annotations().content_hash(),
        "live events": events_hash(live.events()),
        "live state": state,
    }


def odd_hashes() -> dict[str, str]:
    """Return hashes of what a random stream of market events with everything odd in it becomes, on a first day."""
    from lotus.detectors.daily.make import day_tables
    from lotus.detectors.registry import shipped_detectors
    from lotus.detectors.scoring.scorer import Scorer, in_key_order
    from lotus.detectors.windows.builder import build_windows
    from lotus.experts.machine import annotate
    from lotus.manifest import Manifest
    from lotus.microtape.frames.machine import build_frames
    from lotus.microtape.frames.samples import sample_events
    from lotus.priors.types import priors_0
    from lotus_live.parity import events_hash

    manifest, detectors = Manifest(), shipped_detectors()
    frames = build_frames(sample_events(77, 20_000), manifest, manifest.universe)
    annotations = annotate(frames)
    windows = build_windows(frames, annotations, manifest)
    assert len(windows) > 20
    tables = day_tables("2025-01-01", [], manifest, manifest.universe, detectors)
    scorer = Scorer(manifest, manifest.universe, windows.detectors, tables, [priors_0("main")], "main")
    events = in_key_order(scorer.feed_all(windows))
    return {
        "odd frames": frames.content_hash(),
        "odd annotations": annotations.content_hash(),
        "odd events": events_hash(events),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Sweep and print a line a way; return 1 when any differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=400_000, help="lines of the frozen tape (default: all)")
    parser.add_argument("--cache", type=Path, help="keep the kernel caches here (default: thrown away)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        print(json.dumps(compute(given.lines)))
        return 0
    with tempfile.TemporaryDirectory(prefix="lotus-bits-") as folder:
        cache = given.cache or Path(folder)
        faults = warm_faults(cache)
        print(f"{'lotus warm, ' + FAR.name:32s} {'; '.join(faults) or 'every kernel once'}", flush=True)
        expected, odd = hashes(USUAL, given.lines, cache), len(faults)
        for way in WAYS:
            differing = differences(expected, hashes(way, given.lines, cache))
            odd += bool(differing)
            print(f"{way.name:32s} {'same bits' if not differing else 'DIFFERS: ' + ', '.join(differing)}", flush=True)
    print("\n".join(f"{name:18s} {value}" for name, value in expected.items()))
    return 1 if odd else 0


if __name__ == "__main__":
    sys.exit(main())
