"""What `lotus detector check` measures: cost, memory, warm-up and complexity of one detector, and its sanity table.

The stretch is a simulated session of the demo world, or a day of a tape. Times are CPU times of this machine.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lotus.detectors.spec import DetectorSpec
from lotus.detectors.spec_compile import compile_detectors
from lotus.detectors.windows.builder import build_windows
from lotus.detectors.windows.row_spec import F_SIGNAL
from lotus.errors import TapeError
from lotus.experts.machine import AnnotationBatch, annotate
from lotus.manifest import Asset, Manifest
from lotus.microtape.events import EventBatch
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.machine import build_frames
from lotus.microtape.wire.decode import decode_lines
from lotus.outcomes.sanity import detector_series, sanity_table
from lotus.simulation.spec import WorldSpec
from lotus.simulation.world import World
from lotus.tape_machine.machine import Machine
from lotus.tape_machine.program import Program
from lotus_store.tape.store import TapeStore

SESSION = ("08:00", "08:30")  # of the demo world's first day
SEED = 7
_ROWS = 20_000  # of a timed table


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames and annotations to look at, and where they come from."""

    name: str
    manifest: Manifest
    frames: FrameBatch
    annotations: AnnotationBatch


def simulated_stretch() -> Stretch:
    """Return half an hour of the demo world."""
    spec = WorldSpec("demo", SEED, 1, sessions=(SESSION,))
    universe = tuple(Asset(a.name, a.sz_decimals) for a in spec.assets)
    lines = b"".join(text for _, text in World(spec).day_pieces(0))
    return _stretch(f"simulated, {SESSION[0]} to {SESSION[1]}", decode_lines(lines, universe)[0], universe, Manifest())


def tape_stretch(store: TapeStore, day: str, manifest: Manifest) -> Stretch:
    """Return one day of a tape, all its assets; raises `TapeError` when there is none."""
    if not day:
        raise TapeError(f"tape {store.tape} has no day", "a recorded or imported one")
    return _stretch(f"{store.tape}, {day}", store.decode_day(day)[0], store.header().assets, manifest)


@dataclass(frozen=True, slots=True)
class DetectorCost:
    """What a detector takes with its siblings: nodes and CPU ns on a frame and on a window of this machine.

    `state_bytes` an asset; `warm_up_ms` until every window can be full; `depth` and `nodes` of its tree; `kr_rho` its
    complexity penalty.
    """

    nodes: tuple[int, int]
    ns: tuple[float, float]
    state_bytes: int
    warm_up_ms: int
    depth: int
    kr_rho: float


def cost_of(spec: DetectorSpec, manifest: Manifest) -> DetectorCost:
    """Return what a detector takes; raises `ConfigError` for one that cannot be compiled."""
    compiled = compile_detectors((spec,), manifest)
    ns = _ns(compiled.frames), _ns(compiled.windows)
    return DetectorCost(compiled.nodes, ns, compiled.state_bytes, compiled.warm_up_ms, spec.depth, spec.rho)


def facts_of(spec: DetectorSpec, stretch: Stretch) -> dict[str, Any]:
    """Return everything that the command prints."""
    cost = cost_of(spec, stretch.manifest)
    windows = build_windows(stretch.frames, stretch.annotations, stretch.manifest, (spec,))
    table = sanity_table(
        stretch.frames,
        detector_series(windows, stretch.manifest.kernel.cadence_ms),
        stretch.manifest.outcomes.taker_fee_bps,
    )
    spoken = int(np.count_nonzero(windows.floats[:, F_SIGNAL]))
    on_frames, on_windows = cost.nodes
    rows = zip(*(values.tolist() for values in table.values()), strict=True)
    return {
        "detector_id": spec.detector_id, "version": spec.version, "idea": spec.idea,
        "complexity": f"depth {spec.depth}, {spec.nodes} nodes, kr_rho {spec.rho:.2f}",
        "cost": f"with siblings {on_frames} nodes and {cost.ns[0]:.0f} ns per frame, "
                f"{on_windows} nodes and {cost.ns[1]:.0f} ns per window",
        "memory": f"{cost.state_bytes / 1024:.1f} KiB per asset",
        "warm_up": f"{cost.warm_up_ms / 60_000:.1f} min until every window can be full",
        "tape": f"{stretch.name}: {len(stretch.frames)} frames, {len(windows)} windows",
        "spoken": f"{spoken} windows ({spoken / max(1, len(windows)):.1%})",
        "spec_id": spec.spec_id, "nodes": cost.nodes, "state_bytes": cost.state_bytes,
        "ns": cost.ns, "warm_up_ms": cost.warm_up_ms,
        "depth": spec.depth, "kr_rho": spec.rho,
        "sanity": [dict(zip(table, row, strict=True)) for row in rows],
    }  # fmt: skip


def _stretch(name: str, events: EventBatch, universe: tuple[Asset, ...], manifest: Manifest) -> Stretch:
    frames = build_frames(events, manifest, universe)
    return Stretch(name, manifest, frames, annotate(frames))


def _ns(program: Program) -> float:
    """Return the CPU time of one row in nanoseconds, the fastest of five runs over a table of random rows."""
    table = np.random.default_rng(SEED).normal(size=(_ROWS, program.n_columns))
    return min(_seconds(lambda: Machine(program, 1).feed_table(0, table)) for _ in range(5)) / _ROWS * 1e9


def _seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
