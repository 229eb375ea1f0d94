"""`check_expert`: the laws that every micro-expert must keep, on any frames (the conformance suite of the experts).

Ranges and nulls, live equals batch, no look-ahead, assets apart, rebirth after a gap, the mirror: in a market turned
upside down the expert must say the opposite, and bounded memory. A failed law raises; what is returned is measured.
"""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import LookAheadError, SchemaError
from lotus.experts.annotation_spec import A_FIRED, A_Z
from lotus.experts.compiler import compile_experts
from lotus.experts.fusion import ExpertSet, default_experts
from lotus.experts.machine import ExpertMachine
from lotus.microtape.frames import spec as f
from lotus.microtape.frames.batch import FrameBatch

Values = NDArray[np.float64]

MAX_STATE_BYTES: Final[int] = 1 << 20  # of one expert and one asset
_NEGATED: Final = (
    f.C_RET, f.C_MICRO, f.C_IMB_1, f.C_IMB_5, f.C_IMB_10, f.C_SWEEP, f.C_AGGR, f.C_RUNLEN, f.C_BODY, f.C_BASIS,
    f.C_FUNDING,
)  # fmt: skip
_SWAPPED: Final = ((f.C_DEPTH_BID, f.C_DEPTH_ASK), (f.C_WICK_UP, f.C_WICK_DN))
_MIRROR_SHARE: Final[float] = 0.99  # returns about another price level differ in their last digits


@dataclass(frozen=True, slots=True)
class ExpertCost:
    """What an expert costs on its own: compiled nodes, bytes of state of an asset, ns per frame live and in batch."""

    nodes: int
    state_bytes: int
    live_ns: float
    batch_ns: float


def check_expert(
    expert_id: str, frames: FrameBatch, experts: ExpertSet | None = None, clock: Callable[[], float] = lambda: math.nan
) -> ExpertCost:
    """Raise `SchemaError` or `LookAheadError` naming the first law that the expert breaks on these frames.

    The expert runs alone, so that its cost is its own. Costs are reported, not judged; `clock` gives seconds.
    """
    alone = (experts or default_experts()).only(expert_id)
    started = clock()
    said = _said(frames, alone)
    batch_ns = 1e9 * (clock() - started) / max(len(frames), 1)
    _check_ranges(expert_id, said)
    _check_nulls(expert_id, frames, alone)
    _check_truncation(expert_id, frames, said, alone)
    live_ns = _check_live(expert_id, frames, said, alone, clock)
    _check_lives(expert_id, frames, said, alone)
    _check_mirror(expert_id, frames, said, alone)
    program = compile_experts(alone, frames.cadence_ms)
    _require(program.state_bytes <= MAX_STATE_BYTES, expert_id, f"at most {MAX_STATE_BYTES} bytes of state")
    return ExpertCost(program.n_nodes, program.state_bytes, live_ns, batch_ns)


def mirrored(frames: FrameBatch) -> FrameBatch:
    """Return the same market upside down: bids are asks, buyers are sellers, up is down."""
    ints, floats = frames.ints.copy(), frames.floats.copy()
    for asset in range(len(frames.universe)):
        rows = ints[:, f.I_ASSET] == asset
        known = rows & (ints[:, f.I_MID2] > 0)
        if known.any():
            twice = 2 * int(np.mean(ints[known, f.I_MID2]))
            ints[known, f.I_MID2] = twice - ints[known, f.I_MID2]
            floats[known, f.C_MID] = 0.5 * ints[known, f.I_MID2]
    for column in _NEGATED:
        floats[:, column] = -floats[:, column]
    for one, other in _SWAPPED:
        floats[:, [one, other]] = floats[:, [other, one]]
    floats[:, f.C_CLOSE_LOC] = 1.0 - floats[:, f.C_CLOSE_LOC]
    return dataclasses.replace(frames, ints=ints, floats=floats)


def _said(frames: FrameBatch, experts: ExpertSet) -> Values:
    """Return (fired, z) of every frame, in batch."""
    machine = ExpertMachine(len(frames.universe), frames.cadence_ms, experts)
    out = np.empty((len(frames), 2))
    for asset in range(len(frames.universe)):
        mine = np.flatnonzero(frames.ints[:, f.I_ASSET] == asset)
        if len(mine):
            out[mine] = machine.feed_frames(asset, frames.ints[mine], frames.floats[mine])[:, [A_FIRED, A_Z]]
    return out


def _check_ranges(name: str, said: Values) -> None:
    fired, z = said.T
    known = ~np.isnan(z)
    _require(bool(np.all(np.isfinite(z[known]))), name, "z must be finite or null")
    _require(bool(np.all((fired == 0) | (fired == 1))), name, "f must be 0 or 1")
    _require(bool(np.all(fired[~known] == 0)), name, "null z: f = 0")


def _check_nulls(name: str, frames: FrameBatch, experts: ExpertSet) -> None:
    empty = frames.floats.copy()
    dark = np.arange(len(frames)) % 7 == 3
    empty[dark] = np.nan
    said = _said(dataclasses.replace(frames, floats=empty), experts)
    _require(bool(np.all(np.isnan(said[dark, 1])) and np.all(said[dark, 0] == 0)), name, "null frames give null z")


def _check_truncation(name: str, frames: FrameBatch, said: Values, experts: ExpertSet) -> None:
    for cut in np.linspace(1, len(frames) - 1, 7).astype(int):
        part = dataclasses.replace(frames, ints=frames.ints[:cut], floats=frames.floats[:cut])
        if _said(part, experts).tobytes() != said[:cut].tobytes():
            raise LookAheadError(f"expert {name} on {cut} frames differs from the whole", "the same first rows")


def _check_live(name: str, frames: FrameBatch, said: Values, experts: ExpertSet, clock: Callable[[], float]) -> float:
    machine = ExpertMachine(len(frames.universe), frames.cadence_ms, experts)
    started = clock()
    rows = [machine.feed(i, row).copy() for i, row in zip(frames.ints, frames.floats, strict=True)]
    spent = clock() - started
    live = np.ascontiguousarray(np.array(rows)[:, [A_FIRED, A_Z]])
    _require(live.tobytes() == said.tobytes(), name, "live and batch must give the same bits")
    return 1e9 * spent / len(frames)


def _check_lives(name: str, frames: FrameBatch, said: Values, experts: ExpertSet) -> None:
    for asset in range(len(frames.universe)):
        mine = np.flatnonzero(frames.ints[:, f.I_ASSET] == asset)
        born = np.flatnonzero(frames.ints[mine, f.I_QUALITY] & f.GAP_BEFORE)
        for first in (0, *born[-1:]):
            rows = mine[first:]
            alone = dataclasses.replace(frames, ints=frames.ints[rows], floats=frames.floats[rows])
            same = _said(alone, experts).tobytes() == said[rows].tobytes()
            _require(same, name, "an asset after a gap must not know other assets or the time before")


def _check_mirror(name: str, frames: FrameBatch, said: Values, experts: ExpertSet) -> None:
    turned = _said(mirrored(frames), experts)
    same = np.isclose(turned[:, 1], -said[:, 1], atol=1e-3, equal_nan=True) & (turned[:, 0] == said[:, 0])
    _require(float(np.mean(same)) >= _MIRROR_SHARE, name, f"the mirrored market gives -z ({np.mean(same):.3f} do)")


def _require(holds: bool, name: str, law: str) -> None:
    if not holds:
        raise SchemaError(f"expert {name} breaks a law", law)
