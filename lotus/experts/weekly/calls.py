"""The mechanical label of every call of an expert, from the mid alone: the numbers behind its reliability.

A call is the first frame of a pattern that stands with a direction (sign of z); the next call of that expert and asset
counts only after this one is decided, so that calls do not overlap. Its worth is 1 when the mid moved `gain` bps with
it before `give` bps against it within the horizon (the label of its spec), and 0 the other way round. A call whose
horizon passed undecided is neither: it is worth the share (move + give) / (gain + give) of the way that it went. To
count it as a failure would make the chance level depend on volatility and horizon, and a reliability of 1/2 would mean
nothing; with the share a price without drift gives exactly give / (gain + give) on average, whatever horizon and
barriers (optional stopping). A gap or the tape's end before the decision leaves a call open (null).
Literature: triple-barrier labels (M. Lopez de Prado, 2018).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.experts.annotation_spec import A_FIRED, A_Z
from lotus.experts.compiler import label_rules
from lotus.experts.fusion import ExpertSet
from lotus.experts.machine import ExpertMachine, rebirths
from lotus.experts.spec import LabelRule
from lotus.jit import kernel
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_MID, I_ASSET, I_FRAME

CHUNK: Final[int] = 8_192  # frames of one asset that experts take at once

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """One row per call: expert and asset by place, frame_idx, side +-1; worth in [0, 1], NaN while open."""

    expert: Ints
    asset: Ints
    frame_idx: Ints
    side: Ints
    worth: Floats

    def __len__(self) -> int:
        """Return the number of calls."""
        return len(self.expert)

    def of(self, expert: int, asset: int | None = None) -> Floats:
        """Return the worth of the decided calls of an expert, of one asset or of all."""
        own_rows = (self.expert == expert) & np.isfinite(self.worth)
        values: Floats = self.worth[own_rows if asset is None else own_rows & (self.asset == asset)]
        return values


@dataclass(frozen=True, slots=True, eq=False)
class ExpertCalls:
    """What the experts say in all frames of one asset: frames, `fired` i8[n] as bits and z f8[n, experts]."""

    asset: int
    ints: Ints
    floats: Floats
    fired: Ints
    z: Floats


def spoken(frames: FrameBatch, experts: ExpertSet) -> Iterator[ExpertCalls]:
    """Yield what these experts say in frames that start from a blank state, asset by asset."""
    machine = ExpertMachine(len(frames.universe), frames.cadence_ms, experts)
    for asset in range(len(frames.universe)):
        own_rows = np.flatnonzero(frames.ints[:, I_ASSET] == asset)
        if not len(own_rows):
            continue
        ints, floats = frames.ints[own_rows], frames.floats[own_rows]
        chunks = [slice(k, k + CHUNK) for k in range(0, len(own_rows), CHUNK)]
        rows = np.concatenate([machine.feed_frames(asset, ints[c], floats[c])[:, A_FIRED:] for c in chunks])
        yield ExpertCalls(asset, ints, floats, rows[:, 0].astype(np.int64), rows[:, A_Z - A_FIRED :])


def calls_of(frames: FrameBatch, experts: ExpertSet, first_ms: int = 0) -> Calls:
    """Return all calls of these experts in frames that start from a blank state.

    Calls before `first_ms` (of the warm-up) are left out.
    """
    rules = label_rules(experts)
    return joined([calls_in(series, rules, frames.cadence_ms, first_ms) for series in spoken(frames, experts)])


def calls_in(series: ExpertCalls, rules: Sequence[LabelRule], cadence_ms: int, first_ms: int = 0) -> Calls:
    """Return the calls of every expert, with its rule, in the frames of one asset."""
    idx, reborn = series.ints[:, I_FRAME], rebirths(series.ints)
    start = int(np.searchsorted(idx * cadence_ms, first_ms))
    parts: list[Calls] = []
    for k, rule in enumerate(rules):
        fired, z = (series.fired >> k) & 1 == 1, np.ascontiguousarray(series.z[:, k])
        rows, side, worth = follow(fired, z, series.floats[:, C_MID], reborn, rule, cadence_ms, start)
        parts.append(Calls(np.full(len(rows), k), np.full(len(rows), series.asset), idx[rows], side, worth))
    return joined(parts)


def joined(parts: Sequence[Calls]) -> Calls:
    """Return the rows of several tables of calls, one after the other."""
    none = np.zeros(0, np.int64)
    return Calls(
        np.concatenate([none, *(p.expert for p in parts)]),
        np.concatenate([none, *(p.asset for p in parts)]),
        np.concatenate([none, *(p.frame_idx for p in parts)]),
        np.concatenate([none, *(p.side for p in parts)]),
        np.concatenate([np.zeros(0), *(p.worth for p in parts)]),
    )


def follow(
    fired: Flags, z: Floats, mid: Floats, reborn: Flags, rule: LabelRule, cadence_ms: int, start: int = 0
) -> tuple[Ints, Ints, Floats]:
    """Return (row, side, worth) of every call of one expert in the frames of one asset, from row `start` on.

    fired bool[n], z f8[n], mid f8[n]; reborn bool[n]: nothing may be followed across the beginning of such a row.
    """
    horizon = round(1_000.0 * rule.horizon_s / cadence_ms)
    rows, worth = np.empty((2, len(fired)), np.int64), np.empty(len(fired))
    mids = np.ascontiguousarray(mid)
    n = follow_rows(fired, z, mids, reborn, horizon, rule.gain_bps, rule.give_bps, start, rows, worth)
    return rows[0, :n].copy(), rows[1, :n].copy(), worth[:n].copy()


@kernel
def follow_rows(
    fired: Flags,
    z: Floats,
    mid: Floats,
    reborn: Flags,
    horizon: int,
    gain: float,
    give: float,
    start: int,
    rows: Ints,
    worth: Floats,
) -> int:
    """Write (row, side) and worth of every call; return their number. A null mid decides nothing."""
    found, free = 0, start
    for i in range(start, len(fired)):
        rises = fired[i] and (i == 0 or reborn[i] or not fired[i - 1])
        if not rises or i < free or not (z[i] > 0.0 or z[i] < 0.0) or not mid[i] > 0.0:
            continue
        side = 1 if z[i] > 0.0 else -1
        share, move, at = math.nan, 0.0, i
        while -give < move < gain and at - i < horizon and at + 1 < len(fired) and not reborn[at + 1]:
            at += 1
            if mid[at] > 0.0:
                move = side * 10_000.0 * (mid[at] - mid[i]) / mid[i]
        if at - i == horizon or not -give < move < gain:
            share = min(max((move + give) / (gain + give), 0.0), 1.0)
        rows[0, found], rows[1, found], worth[found] = i, side, share
        found += 1
        free = at + 1
    return found
