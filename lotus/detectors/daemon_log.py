"""The daemon's log against what is recomputed: for a day on which it ran, the log is the truth of what was published.

Rows are matched by window, asset and detector and compared bit for bit. Equal rows become `live`. A window that the
daemon never emitted could not be published: its propensity is 0. A row that differs takes the daemon's values with
propensity 0 and is not evaluated, so that nothing is learned from it; what the daemon published stays in its log. Rows
of shadow detectors, which the daemon ran beside the settled ones for a part of the day, are counted and left in the
log: no shadow detector changes a settled row, and the day's table holds the settled detectors only. Pure functions over
columns of SIGNAL_EVENTS; reading the log and writing the day are not done here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.scoring.scorer import in_key_order
from lotus.detectors.scoring.signal_spec import LIVE_DIFFERS, NOT_EMITTED, SIGNAL_EVENTS

Columns = dict[str, NDArray[np.generic]]
COMPARED = tuple(name for name in SIGNAL_EVENTS.names if name != "source")


@dataclass(frozen=True, slots=True)
class Emitted:
    """A day as the daemon emitted it, in key order; numbers of rows; the first difference in words, "" without one."""

    events: Columns
    logged: int
    equal: int
    not_emitted: int
    different: int
    only_in_the_log: int
    first: str
    trials: int = 0


@dataclass(frozen=True, slots=True)
class Matched:
    """Rows of two tables for the same window and detector, `ours` against `theirs`, and the rows of one only."""

    ours: NDArray[np.int64]
    theirs: NDArray[np.int64]
    ours_only: NDArray[np.int64]
    theirs_only: NDArray[np.int64]


def match_rows(events: Columns, log: Columns) -> Matched:
    """Match rows by (window_end_ms, asset, detector_id), which is unique in both."""
    names = sorted(
        {*(str(name) for x in (events, log) for column in ("asset", "detector_id") for name in set(x[column]))}
    )
    keys = [_keys(x, {name: k for k, name in enumerate(names)}) for x in (events, log)]
    order = [np.argsort(key, kind="stable") for key in keys]
    ranked = [key[rows] for key, rows in zip(keys, order, strict=True)]
    place = np.minimum(np.searchsorted(ranked[1], ranked[0]), max(len(ranked[1]) - 1, 0))
    both = ranked[1][place] == ranked[0] if len(ranked[1]) else np.zeros(len(ranked[0]), np.bool_)
    ours, theirs = order[0][both], order[1][place[both]]
    return Matched(ours, theirs, _others(len(keys[0]), ours), _others(len(keys[1]), theirs))


def under_logged_tables(events: Columns, others: Sequence[Columns], log: Columns) -> Columns:
    """Return `events` with the rows that the daemon scored under other day tables taken from `others`.

    Each of `others` is the same day scored under one other version of the tables, in the same order.
    """
    matched = match_rows(events, log)
    logged = np.full(len(events["event_id"]), "", dtype=object)
    logged[matched.ours] = log["tables_ver"][matched.theirs]
    out = dict(events)
    for other in others:
        taken = logged == other["tables_ver"][0]
        out = {name: np.where(taken, other[name], values).astype(values.dtype) for name, values in out.items()}
    return out


def without_trials(log: Columns, settled: Collection[str]) -> tuple[Columns, int]:
    """Return the log's rows of the settled detectors, by detector_id, and the number of the others."""
    kept = np.isin(log["detector_id"].astype(str), sorted(settled))
    return {name: values[kept] for name, values in log.items()}, int(np.count_nonzero(~kept))


def as_emitted(events: Columns, log: Columns, trials: int = 0) -> Emitted:
    """Return the day `events` as the log says it was emitted; `trials`: rows of shadow detectors that were left out."""
    matched = match_rows(events, log)
    equal, first = _compare(events, log, matched)
    same, never = matched.ours[equal], matched.ours_only
    changed = np.concatenate([matched.theirs[~equal], matched.theirs_only])
    kept = {name: np.concatenate([events[name][same], events[name][never]]) for name in SIGNAL_EVENTS.names}
    kept["source"][: len(same)] = "live"
    kept["veto"][len(same) :] |= np.uint32(NOT_EMITTED)
    theirs = {name: log[name][changed] for name in SIGNAL_EVENTS.names}
    theirs["veto"] = theirs["veto"] | np.uint32(LIVE_DIFFERS)
    whole = {name: np.concatenate([kept[name], theirs[name]]) for name in SIGNAL_EVENTS.names}
    _without_chance(whole, len(same))
    if len(matched.theirs_only) and not first:
        first = f"event {log['event_id'][matched.theirs_only[0]]} is in the log and not recomputed"
    counts = len(same), len(never), int(np.count_nonzero(~equal)), len(matched.theirs_only)
    return Emitted(in_key_order(whole), len(log["event_id"]), *counts, first, trials)


def taught(events: Mapping[str, NDArray[np.generic]]) -> NDArray[np.bool_]:
    """Return which rows may be evaluated: all but those in which the daemon's log differs."""
    kept: NDArray[np.bool_] = (np.asarray(events["veto"]).astype(np.int64) & LIVE_DIFFERS) == 0
    return kept


def _keys(columns: Columns, code: Mapping[str, int]) -> NDArray[np.int64]:
    asset, detector = (
        np.fromiter(map(code.__getitem__, columns[name]), np.int64, len(columns[name]))
        for name in ("asset", "detector_id")
    )
    return (columns["window_end_ms"].astype(np.int64) * len(code) + asset) * len(code) + detector


def _others(rows: int, matched: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows that are not matched, in order."""
    left = np.ones(rows, np.bool_)
    left[matched] = False
    return np.flatnonzero(left)


def _compare(events: Columns, log: Columns, matched: Matched) -> tuple[NDArray[np.bool_], str]:
    """Return which matched rows are equal, and the first difference in words ("" when there is none)."""
    equal = np.ones(len(matched.ours), dtype=np.bool_)
    wrong = {}
    for name in COMPARED:
        same = same_bits(events[name][matched.ours], log[name][matched.theirs])
        equal &= same
        wrong[name] = ~same
    if equal.all():
        return equal, ""
    row = int(np.argmin(equal))
    name = next(name for name, different in wrong.items() if different[row])
    ours, theirs = matched.ours[row], matched.theirs[row]
    event = events["event_id"][ours]
    return equal, f"{name} of event {event}: {log[name][theirs]} in the log, {events[name][ours]} recomputed"


def same_bits(ours: NDArray[np.generic], theirs: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Tell which values have equal bits; any two nulls (NaN) are equal."""
    if ours.dtype.kind != "f":
        return np.asarray(ours == theirs, dtype=np.bool_)
    bits = np.ascontiguousarray(ours).view(np.int64) == np.ascontiguousarray(theirs).view(np.int64)
    return np.asarray(bits | (np.isnan(ours) & np.isnan(theirs)), dtype=np.bool_)


def _without_chance(columns: Columns, first: int) -> None:
    """Rows from `first` on had no chance to be published, as far as learning is concerned."""
    columns["pi"][first:] = 0.0
    columns["eligible"][first:] = False
    columns["published"][first:] = False
