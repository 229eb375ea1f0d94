"""A stored session replayed through the daemon as fast as it goes: `python -m benchmarks.replay [--json]`.

A process of its own serves the tape over a websocket; the daemon records, scores and writes its ledger as it does live.
Messages a second are those of wall time from the daemon's start to its last row in the ledger. The reference is the
kernels alone, on one core and in memory, in the same run.
"""

import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.material import simulated
from benchmarks.whole_days import kernel_rate
from lotus.manifest import Manifest
from lotus_live.feed.tape_file import TapeDay
from lotus_live.live import run_live
from lotus_store.config import load_settings
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore


def clocks() -> tuple[float, float]:
    """Return the seconds of the wall and of this process's processor."""
    return time.perf_counter(), time.process_time()


def measure(minutes: int, light: bool = False) -> dict[str, float | str]:
    """Simulate, store, replay; return the figures."""
    with tempfile.TemporaryDirectory(prefix="lotus-replay-") as folder:
        tape = simulated(minutes, Path(folder), light)
        settings = replace(load_settings(Path(folder) / "home"), manifest=Manifest(universe=tape.universe))
        store = TapeStore(settings.home, "replayed")
        import_recording(store, [tape.path])
        (day,) = store.days()
        began: list[tuple[float, float]] = []
        result = run_live(settings, TapeDay(store, day), run_id="replay", on_start=lambda _: began.append(clocks()))
        wall_s, cpu_s = (after - before for after, before in zip(clocks(), began[0], strict=True))
    lines, kernels = result.status["lines"], kernel_rate()
    return {
        "messages": lines,
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "msgs_per_s": lines / wall_s,
        "share_of_kernels": lines / wall_s / kernels,
        "events_hash": result.events_hash,
    }


@click.command()
@click.option("--minutes", default=480, show_default=True, help="Length of the session at the venue's rates.")
@click.option("--light", is_flag=True, help="The demo's message rates, not the venue's.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(minutes: int, light: bool, as_json: bool) -> None:
    """Measure a replay at max."""
    figures = measure(minutes, light)
    text = json.dumps(figures) if as_json else "\n".join(f"{name:<18} {value}" for name, value in figures.items())
    click.echo(text)


if __name__ == "__main__":
    main()
