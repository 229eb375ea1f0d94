"""`check_expert`: the laws that every micro-expert must keep, on any frames (the conformance suite of the experts).

Ranges and nulls, live equals batch, no look-ahead, assets apart, rebirth after a gap, and the mirror: in a market
turned upside down the expert must say the opposite. A failed law raises; nothing is returned.
"""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.errors import LookAheadError, SchemaError
from lotus.experts.annotation_spec import A_CONF, A_F, A_Z
from lotus.experts.machine import ExpertMachine, annotate
from lotus.experts.spec import EXPERTS, ExpertSet
from lotus.microtape import frame_spec as f
from lotus.microtape.frame_batch import FrameBatch

Values = NDArray[np.float64]

_NEGATED: Final = (f.C_RET, f.C_MICRO, f.C_IMB_1, f.C_IMB_5, f.C_IMB_10, f.C_SWEEP, f.C_AGGR, f.C_RUNLEN, f.C_BODY)
_SWAPPED: Final = ((f.C_DEPTH_BID, f.C_DEPTH_ASK), (f.C_WICK_UP, f.C_WICK_DN))
_MIRROR_SHARE: Final[float] = 0.99  # returns about another price level differ in their last digits


def check_expert(expert_id: str, frames: FrameBatch, experts: ExpertSet | None = None) -> None:
    """Raise `SchemaError` or `LookAheadError` naming the first law that the expert breaks on these frames."""
    k = EXPERTS.index(expert_id)
    said = _said(frames, k, experts)
    _check_ranges(expert_id, said)
    _check_nulls(expert_id, frames, k, experts)
    _check_truncation(expert_id, frames, said, k, experts)
    _check_live(expert_id, frames, said, k, experts)
    _check_lives(expert_id, frames, said, k, experts)
    _check_mirror(expert_id, frames, said, k, experts)


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


def _said(frames: FrameBatch, k: int, experts: ExpertSet | None) -> Values:
    return annotate(frames, experts).values[:, [A_Z + k, A_F + k, A_CONF + k]]


def _check_ranges(name: str, said: Values) -> None:
    z, fired, conf = said.T
    known = ~np.isnan(z)
    _require(bool(np.all(np.isfinite(z[known]))), name, "z must be finite or null")
    _require(bool(np.all((fired == 0) | (fired == 1))), name, "f must be 0 or 1")
    _require(bool(np.all(np.isnan(conf) == ~known) and np.all(fired[~known] == 0)), name, "null z: null conf, f = 0")
    wanted = [2.0 * mathx.logistic(abs(x)) - 1.0 for x in z[known].tolist()]
    _require(bool(np.array_equal(conf[known], wanted)), name, "conf must be 2 logistic(|z|) - 1")


def _check_nulls(name: str, frames: FrameBatch, k: int, experts: ExpertSet | None) -> None:
    empty = frames.floats.copy()
    dark = np.arange(len(frames)) % 7 == 3
    empty[dark] = np.nan
    said = _said(dataclasses.replace(frames, floats=empty), k, experts)
    _require(bool(np.all(np.isnan(said[dark, 0])) and np.all(said[dark, 1] == 0)), name, "null frames give null z")


def _check_truncation(name: str, frames: FrameBatch, said: Values, k: int, experts: ExpertSet | None) -> None:
    for cut in np.linspace(1, len(frames) - 1, 7).astype(int):
        part = dataclasses.replace(frames, ints=frames.ints[:cut], floats=frames.floats[:cut])
        if _said(part, k, experts).tobytes() != said[:cut].tobytes():
            raise LookAheadError(f"expert {name} on {cut} frames differs from the whole", "the same first rows")


def _check_live(name: str, frames: FrameBatch, said: Values, k: int, experts: ExpertSet | None) -> None:
    machine = ExpertMachine(len(frames.universe), frames.cadence_ms, experts)
    rows = [machine.feed(i, row).copy() for i, row in zip(frames.ints, frames.floats, strict=True)]
    live = np.array(rows)[:, [A_Z + k, A_F + k, A_CONF + k]]
    _require(live.tobytes() == said.tobytes(), name, "live and batch must give the same bits")


def _check_lives(name: str, frames: FrameBatch, said: Values, k: int, experts: ExpertSet | None) -> None:
    for asset in range(len(frames.universe)):
        mine = np.flatnonzero(frames.ints[:, f.I_ASSET] == asset)
        born = np.flatnonzero(frames.ints[mine, f.I_QUALITY] & f.GAP_BEFORE)
        for first in (0, *born[-1:]):
            rows = mine[first:]
            alone = dataclasses.replace(frames, ints=frames.ints[rows], floats=frames.floats[rows])
            same = _said(alone, k, experts).tobytes() == said[rows].tobytes()
            _require(same, name, "an asset after a gap must not know other assets or the time before")


def _check_mirror(name: str, frames: FrameBatch, said: Values, k: int, experts: ExpertSet | None) -> None:
    turned = _said(mirrored(frames), k, experts)
    same = np.isclose(turned[:, 0], -said[:, 0], atol=1e-3, equal_nan=True) & (turned[:, 1] == said[:, 1])
    _require(float(np.mean(same)) >= _MIRROR_SHARE, name, f"the mirrored market gives -z ({np.mean(same):.3f} do)")


def _require(holds: bool, name: str, law: str) -> None:
    if not holds:
        raise SchemaError(f"expert {name} breaks a law", law)
