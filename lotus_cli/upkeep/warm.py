"""`lotus warm`: is everything compiled. Parts of the kernels side by side, in processes; then one run through all.

A job that is killed leaves whole files only, so that whoever runs next compiles what is missing. What the jobs lead
through the kernels stands in `warm_jobs`. (Literature: parallel build, list scheduling.)
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import click

from lotus.errors import LotusError
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.progress import Progress

COMPILING = "compiling kernels"
JOB = 4  # kernels that take as long to compile as a job takes that finds them all stored


@click.command("warm")
@click.option("--from", "source", type=click.Path(exists=True, dir_okay=False), help="First take the kernels of FILE.")
@click.option("--archive", type=click.Path(dir_okay=False), help="Then write all kernels into FILE.")
@json_option
@explained
def warm_command(source: str | None, archive: str | None, as_json: bool) -> None:
    """Run a few simulated minutes through everything, so that every kernel is compiled and cached.

    An archive serves every machine of the same kind (processor, Python, numba) with the same kernels; another one is
    refused. It holds machine code: take it only from whom you would take a program.
    """
    from lotus.jit import compiled_here
    from lotus_cli.upkeep.kernel_archive import read_archive, write_archive

    began = time.perf_counter()
    with Progress(quiet=as_json) as progress:
        if source is not None:
            progress(f"{read_archive(Path(source))} kernels taken from {source}")
        left = Left()
        progress.watch(COMPILING, 1.0, left.share)
        in_jobs = run_jobs(len(os.sched_getaffinity(0)), progress, left)
        with tempfile.TemporaryDirectory(prefix="lotus-warm-") as folder:
            result = _through_all(Path(folder))
        progress(COMPILING, 1.0, 1.0)
        progress(f"everything in turn, {in_jobs + compiled_here()} kernels compiled")
        if archive is not None:
            progress(f"{write_archive(Path(archive))} kernels written to {archive}")
    compiled = {"compiled": in_jobs + compiled_here(), "left_by_jobs": compiled_here()}
    emit(result | compiled | {"seconds": round(time.perf_counter() - began, 1)}, as_json)


class Left:
    """How much is done of all jobs: kernels stored since, and jobs ended, each as long as a few kernels."""

    def __init__(self) -> None:
        from lotus_cli.upkeep.warm_jobs import JOBS, KERNELS, stored_kernels

        self.ended = 0
        self._stored, self._count = stored_kernels(), stored_kernels
        self._kernels, self._jobs = max(0, KERNELS - self._stored), len(JOBS) + 1

    def share(self) -> float:
        """Return the share that is done."""
        made = min(self._count() - self._stored, self._kernels)
        return (made + JOB * self.ended) / (self._kernels + JOB * self._jobs)


def run_jobs(processes: int, progress: Progress, left: Left) -> int:
    """Run every job in a process of its own, so many at a time, tell of each as it ends; return the kernels compiled.

    Raises `LotusError` with what a job that failed has said; those under way end first.
    """
    from lotus_cli.upkeep.warm_jobs import JOBS

    waiting, done, compiled = dict(JOBS), set[str](), 0
    running: dict[Future[tuple[float, int]], str] = {}
    with ThreadPoolExecutor(processes) as pool:
        while waiting or running:
            for name in [n for n, job in waiting.items() if done.issuperset(job.after)][: processes - len(running)]:
                del waiting[name]
                running[pool.submit(_run_job, name)] = name
            for ended in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(ended)
                done.add(name)
                left.ended += 1
                seconds, kernels = ended.result()
                compiled += kernels
                progress(f"kernels of {name}: {kernels} in {seconds:.0f} s")
    return compiled


def _run_job(name: str) -> tuple[float, int]:
    """Run a job; return its seconds and how many kernels it compiled."""
    began = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-P", "-m", "lotus_cli.upkeep.warm_jobs", name], capture_output=True, text=True
    )
    if run.returncode:
        last_line = (run.stderr.strip().splitlines() or ["nothing"])[-1]
        how = f"ended with {run.returncode}" if run.returncode > 0 else f"was killed by signal {-run.returncode}"
        raise LotusError(
            f"compiling the kernels of {name} {how}, saying: {last_line}", "0", "memory, disk or a bad install"
        )
    return time.monotonic() - began, int(run.stdout)


def _through_all(folder: Path) -> dict[str, Any]:
    """Take a simulated morning from text to lessons, live and in batch."""
    import zstandard

    from lotus.detectors.registry import scored_detectors
    from lotus.learning.night import learn_night
    from lotus.learning.payoff_scores import payoff_scores
    from lotus.outcomes.evaluate import mature
    from lotus.simulation.spec import WorldSpec
    from lotus.simulation.world import World
    from lotus_cli.demo.command import plan_of
    from lotus_live.feed.tape_file import TapeFile
    from lotus_live.parity import neutral_beliefs, verify_parity
    from lotus_live.pipeline.batch import score_tape
    from lotus_live.pipeline.day_lane import LaneSpec

    world = WorldSpec("demo", seed=7, days=2, sessions=(("08:00", "08:25"), ("14:00", "14:03")))
    plan = plan_of(str(folder / "home"), world)
    file = folder / "day.zst"
    file.write_bytes(zstandard.compress(b"".join(text for _, text in World(world).day_pieces(0))))
    report = verify_parity(file, plan.settings.manifest)
    tape = TapeFile((file,))
    spec = LaneSpec(plan.settings.manifest, tape.universe, scored_detectors(plan.settings.manifest), "warm")
    (day,) = score_tape(tape.arrivals(), spec, neutral_beliefs(spec))
    outcomes = mature(day.events, day.frames.quote_columns(), day.frames.gap_columns(), spec.manifest, day.day)
    night = learn_night({day.day: payoff_scores(day.events, outcomes, day.day).columns}, spec.manifest)
    return {"parity": report.parity, "frames": report.frames, "windows": report.windows, "rules": night.trials}
