"""What `lotus warm` compiles side by side: each job leads a part of the kernels through a tiny input.

`python -m lotus_cli.upkeep.warm_jobs NAME` does one of them, loading what is stored, and says how many it compiled.
The order of the jobs and their progress are `warm`'s; what none of them reaches is compiled by its closing run.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lotus.jit import compiled_here, kernel_folder
from lotus.jit_cache import SUFFIX
from lotus.manifest import Manifest

if TYPE_CHECKING:
    from lotus.microtape.frames.batch import FrameBatch


KERNELS = 280  # that are stored after all jobs, for an estimate of what is left


@dataclass(frozen=True, slots=True)
class Job:
    """A part of the kernels; `after`: jobs that compile what this one would else compile as well."""

    run: Callable[[], None]
    after: tuple[str, ...] = ()


def interpreter() -> None:
    """Run a program over one row and over a block."""
    import numpy as np

    from lotus.experts.machine import ExpertMachine
    from lotus.microtape.frames.spec import N_FLOATS, N_INTS

    machine = ExpertMachine(1, Manifest().kernel.cadence_ms)
    ints, floats = np.zeros((3, N_INTS), np.int64), np.zeros((3, N_FLOATS))
    machine.feed_frames(0, ints[:2], floats[:2])
    machine.feed(ints[2], floats[2])


def frames() -> None:
    """Parse a line alone and in a chunk, live and in batch, and make frames of events."""
    from lotus.microtape.frames.machine import build_frames
    from lotus.microtape.frames.samples import sample_events
    from lotus.microtape.line_machine import LineMachine
    from lotus.microtape.wire.decode import decode_lines

    manifest = Manifest()
    LineMachine(manifest, manifest.universe).feed(0, 0, b"{}")
    decode_lines(b"1 {}\n", manifest.universe)
    build_frames(sample_events(1, 100), manifest, manifest.universe)


def simulation() -> None:
    """Write a minute of a world's tape."""
    from lotus.simulation.spec import WorldSpec
    from lotus.simulation.world import World

    for _ in World(WorldSpec("demo", days=1, sessions=(("08:00", "08:01"),))).day_pieces(0):
        pass


def learning() -> None:
    """Learn one nightly run that looks, from scores in which something is planted."""
    from lotus.learning.night import learn_night
    from lotus.simulation.learning_world import market, planted_rules, scores_of, track

    world = market(1, 20, 200)
    scored = scores_of(world, track(world, "plant", lessons=planted_rules(1, world, 60.0)))
    learn_night(scored, Manifest())


def windows() -> None:
    """Make windows and score them, live and in batch, and look at what became of them."""
    from lotus.detectors.daily.make import day_tables
    from lotus.detectors.meta_signals import MetaSignals
    from lotus.detectors.scoring.scorer import Scorer
    from lotus.detectors.windows.builder import WindowBuilder, build_windows
    from lotus.detectors.windows.closed_frames import ClosedFrames
    from lotus.experts.fusion import default_experts
    from lotus.experts.machine import annotate
    from lotus.microtape.frames.machine import build_frames
    from lotus.microtape.frames.samples import sample_events
    from lotus.outcomes.evaluate import evaluate
    from lotus.priors.types import priors_0

    manifest = Manifest()
    made = build_frames(sample_events(77, 6_000), manifest, manifest.universe)
    notes = annotate(made)
    notes.content_hash()
    whole = build_windows(made, notes, manifest)
    builder = WindowBuilder(manifest, len(manifest.universe))
    ClosedFrames(manifest, len(manifest.universe), whole.detectors, default_experts(), (made.ints, made.floats), 0, 1)
    tables = day_tables("1970-01-01", [], manifest, manifest.universe, whole.detectors)
    scorer = Scorer(
        manifest=manifest,
        universe=manifest.universe,
        detectors=whole.detectors,
        tables=tables,
        priors=[priors_0("main")],
        branch="main",
    )
    for ints, floats, note in zip(made.ints, made.floats, notes.values, strict=True):
        if builder.feed(ints, floats, note):
            scorer.feed(builder.ints, builder.floats)
    events = scorer.feed_all(whole)
    _rest_of_a_day(made)
    MetaSignals(manifest.kernel.window_ms, tables).feed(events)
    evaluate(events, made.quote_columns(), made.gap_columns(), manifest)


def _rest_of_a_day(made: "FrameBatch") -> None:
    """What the first day of a branch has no use for: calls of experts, fitted evidence, surprise of the past, gaps."""
    import numpy as np

    from lotus.detectors.daily.bins import replay_surprise
    from lotus.experts.calibration import calibrate, evidence_table
    from lotus.experts.fusion import default_experts
    from lotus.experts.weekly.calls import calls_of
    from lotus.microtape.frames.samples import sample_events
    from lotus.microtape.gaps import find_gaps

    experts = default_experts()
    calls_of(made, experts)
    table = evidence_table(experts)
    calibrate(np.zeros((0, 1)), 0, table.xs, table.ys)
    replay_surprise(np.zeros(0, np.int64), np.zeros(0), np.zeros((1, 2)), 1)
    find_gaps(sample_events(1, 100), 3, 1)


JOBS: dict[str, Job] = {  # heavy ones first
    "interpreter": Job(interpreter),
    "frames": Job(frames),
    "learning": Job(learning),
    "simulation": Job(simulation),
    "windows": Job(windows, after=("interpreter", "frames")),
}


def stored_kernels() -> int:
    """Return how many kernels are stored, those of earlier sources too."""
    return len(list(kernel_folder().glob(f"*{SUFFIX}")))


if __name__ == "__main__":
    JOBS[sys.argv[1]].run()
    sys.stdout.write(f"{compiled_here()}\n")
