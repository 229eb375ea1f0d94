"""A set of detectors and all their siblings as two programs: one over frames, one over windows.

Every detector stands 1 + K times in one graph, itself and its K = 4 jittered siblings, and shares with all others what
is equal. No state belongs here, and no file. Literature: common sub-expression elimination.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from lotus.detectors.registry import known_detectors, shipped_detectors, specs_ver
from lotus.detectors.spec import JITTER, DetectorSpec
from lotus.detectors.spec_check import Checked, KeyedError
from lotus.detectors.windows.row_spec import T_VALUES
from lotus.errors import ConfigError
from lotus.manifest import Manifest
from lotus.memoised import memoised
from lotus.tape_machine.node import Node
from lotus.tape_machine.program import Program, compile_program, moved_columns

MEMORY_MS: Final[int] = 7_200_000
_NOTHING: Final = Node("const", (), (0.0,), "number", "1")


@dataclass(frozen=True, slots=True, eq=False)
class CompiledDetectors:
    """The programs of a set. Outputs of `windows`: detector by detector, itself first, then its siblings.

    Outputs of `frames` stand in the columns from `T_VALUES` on of the table that `windows` runs on.
    """

    detectors: tuple[DetectorSpec, ...]
    frames: Program
    windows: Program
    table_width: int
    warm_up_ms: int

    @property
    def nodes(self) -> tuple[int, int]:
        """Nodes that run on every frame and on every window, constants left out."""
        return self.frames.n_nodes, self.windows.n_nodes

    @property
    def state_bytes(self) -> int:
        """Bytes of state per asset."""
        return self.frames.state_bytes + self.windows.state_bytes


def compile_detectors(detectors: Sequence[DetectorSpec], manifest: Manifest) -> CompiledDetectors:
    """Return the programs of the detectors in their order; equal sets are compiled once.

    Those of sets that begin with one that a manifest scores, which run live, are memoised on disk. Raises `ConfigError`
    for expressions that have no meaning at the manifest's cadences and for graphs over the bounds of
    `lotus.tape_machine.graph`.
    """
    return _kept(tuple(detectors), manifest.kernel.cadence_ms, manifest.kernel.window_ms)


@lru_cache(maxsize=64)
def _kept(detectors: tuple[DetectorSpec, ...], cadence_ms: int, window_ms: int) -> CompiledDetectors:
    live = (shipped_detectors(), known_detectors())
    if not any(detectors[: len(scored)] == scored for scored in live):
        return _compiled(detectors, cadence_ms, window_ms)
    key = (specs_ver(detectors), cadence_ms, window_ms)
    compiled = memoised(
        CompiledDetectors, "detectors", "programs", key, lambda: _compiled(detectors, cadence_ms, window_ms)
    )
    return replace(compiled, detectors=detectors)


def _compiled(detectors: tuple[DetectorSpec, ...], cadence_ms: int, window_ms: int) -> CompiledDetectors:
    values: dict[int, Node] = {}
    signals: dict[str, Node] = {}
    warm_up_ms = 0
    for spec in detectors:
        for factor in JITTER:
            checked = _checked(spec.jittered(factor), cadence_ms, window_ms)
            values |= checked.values
            signals[f"{len(signals)}"] = checked.signal
            warm_up_ms = max(warm_up_ms, checked.warm_up_ms)
    slots = sorted(values)
    frames = compile_program({str(k): values[k] for k in slots} or {"none": _NOTHING}, MEMORY_MS // cadence_ms)
    windows = compile_program(signals or {"none": _NOTHING}, MEMORY_MS // window_ms)
    width = T_VALUES + len(frames.outputs)
    place = {slot: T_VALUES + k for k, slot in enumerate(slots)}
    return CompiledDetectors(detectors, frames, moved_columns(windows, place, width), width, warm_up_ms)


def _checked(spec: DetectorSpec, cadence_ms: int, window_ms: int) -> Checked:
    try:
        return spec.checked(cadence_ms, window_ms)
    except KeyedError as found:
        raise ConfigError(f"{spec.detector_id}, {found.found}", found.expected, found.cause) from None
