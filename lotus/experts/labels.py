"""Mechanical labels: was an expert's call right? Decided by the mid alone, from the rule in the expert's spec.

A call is an onset of the pattern with a direction. It is a success when the mid moves `gain_bps` in the direction
within `horizon_s`, before it moves `give_bps` against it; a failure otherwise; open where the tape ends, has a gap or
lacks a mid at the onset before that is decided, or where there is no direction. The base of reliabilities; literature:
triple-barrier labels.
"""

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.spec import LabelRule

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class Label(IntEnum):
    """The verdict on one call."""

    OPEN = 0
    SUCCESS = 1
    FAILURE = 2


def onsets(fired: NDArray[Any], frame_idx: Indices) -> Indices:
    """Return the rows of one asset's frames at which a pattern (0/1) begins to stand; a missing frame ends it."""
    before = np.zeros(len(fired), np.bool_)
    before[1:] = (np.asarray(fired[:-1]) != 0) & (np.diff(frame_idx) == 1)
    return np.flatnonzero((np.asarray(fired) != 0) & ~before)


def label(
    rule: LabelRule, onset: Indices, direction: Floats, mids: Floats, frame_idx: Indices, cadence_ms: int
) -> NDArray[np.int8]:
    """Return the label of each call i1[k]: `onset` rows i8[k] and the sign of their z f8[k], of one asset.

    `mids` f8[n] (NaN without a quote: skipped) and `frame_idx` i8[n] are the asset's frames in time order.
    Raises `SchemaError` for arrays that do not stand side by side.
    """
    if len(onset) != len(direction) or len(mids) != len(frame_idx):
        raise SchemaError(f"{len(onset)} onsets, {len(direction)} directions", "one direction an onset")
    steps = max(1, round(1_000.0 * rule.horizon_s / cadence_ms))
    out = np.zeros(len(onset), np.int8)
    for k, (row, side) in enumerate(zip(onset.tolist(), np.sign(direction).tolist(), strict=True)):
        end = min(row + steps, len(mids) - 1)
        whole = row + steps < len(mids) and frame_idx[row + steps] == frame_idx[row] + steps
        out[k] = _verdict(rule, side, mids[row : end + 1], frame_idx[row : end + 1], whole)
    return out


def _verdict(rule: LabelRule, side: float, mids: Floats, frame_idx: Indices, whole: bool) -> Label:
    if side == 0.0 or np.isnan(side * mids[0]):
        return Label.OPEN
    follows = frame_idx - frame_idx[0] == np.arange(len(frame_idx))
    moves = np.where(follows, side * 1e4 * (mids - mids[0]) / mids[0], np.nan)
    won, lost = np.flatnonzero(moves >= rule.gain_bps), np.flatnonzero(moves <= -rule.give_bps)
    if len(won) and (not len(lost) or won[0] < lost[0]):
        return Label.SUCCESS
    return Label.FAILURE if len(lost) or whole else Label.OPEN
