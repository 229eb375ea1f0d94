"""Vetoes at once: what a person forbids from the next window on, until the tables of a day know of it.

A control record of the tape holds the whole list; a record without one ends it. Each veto names its branch and the day
from which tables carry it, so a list needs no news at midnight. Live the records are obeyed line by line, in batch a
day's rows are cut at them (`barred`), as trials are. Nothing is scored here. (Literature: circuit breaker, write-ahead
log.)
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lotus.curation.act import CurationAct, parts_of
from lotus.detectors.scoring.signal_spec import PERSON
from lotus.microtape.wire.reasons import ControlRecord

Columns = dict[str, NDArray[Any]]
MOST_VETOES: Final = 1_000  # of one record; a longer list is no list


@dataclass(frozen=True, slots=True)
class VetoAtOnce:
    """A veto of `target` on a branch, for windows of the days before `until_day`."""

    act_id: str
    branch: str
    target: str
    until_day: str


@dataclass(frozen=True, slots=True)
class VetoList:
    """The list that a record of the tape puts in force: for windows that a line after (recv_ns, seq) closes."""

    recv_ns: int
    seq: int
    vetoes: tuple[VetoAtOnce, ...]


def listed(acts: Iterable[CurationAct], day: str) -> tuple[VetoAtOnce, ...]:
    """Return the list for windows of `day` and later ones: acts at once that no table carries yet, by name."""
    waiting = sorted((act for act in acts if act.at_once and act.from_day > day), key=lambda act: act.act_id)
    return tuple(VetoAtOnce(act.act_id, act.branch, act.target, act.from_day) for act in waiting[:MOST_VETOES])


def vetoes_of(data: Any) -> tuple[VetoAtOnce, ...] | None:
    """Return the whole list in the data of a control record; None where it says nothing of vetoes or cannot be read."""
    if not isinstance(data, dict):
        return None
    entries = data.get("vetoes")
    if entries is None:
        return () if "vetoes" not in data and "priors_ver" in data else None
    try:
        found = msgspec.convert(entries, tuple[VetoAtOnce, ...])
    except msgspec.ValidationError:
        return None
    return found if len(found) <= MOST_VETOES else None


def veto_lists(controls: Sequence[ControlRecord]) -> list[VetoList]:
    """Return the lists of control records in their order; one that repeats the list before it is left out."""
    out: list[VetoList] = []
    for control in controls:
        vetoes = vetoes_of(control.data)
        if vetoes is not None and vetoes != (out[-1].vetoes if out else ()):
            out.append(VetoList(control.recv_ns, control.seq, vetoes))
    return out


def barred_pairs(
    vetoes: Iterable[VetoAtOnce], branch: str, day: str, assets: Sequence[str], detector_ids: Sequence[str]
) -> NDArray[np.bool_]:
    """Return bool[A, D]: which windows of a branch and day the list bars, by asset and detector."""
    out = np.zeros((len(assets), len(detector_ids)), np.bool_)
    for veto in vetoes:
        if veto.branch == branch and day < veto.until_day:
            detector, coin = parts_of(veto.target)
            rows = [a for a, name in enumerate(assets) if coin in ("", name)]
            out[np.ix_(rows, [d for d, name in enumerate(detector_ids) if detector in ("", name)])] = True
    return out


def barred(events: Columns, lists: Sequence[VetoList], branch: str, day: str) -> Columns:
    """Return the events of a day (columns of SIGNAL_EVENTS, any order) as the lists of its tape leave them.

    The last list before a window's closing line decides; a barred window is not eligible and not published.
    """
    received, number = (np.asarray(events[name]).astype(np.int64) for name in ("close_recv_ns", "close_seq"))
    name, asset = (np.asarray(events[column], dtype=object) for column in ("detector_id", "asset"))
    hit = np.zeros(len(received), np.bool_)
    for one in lists:
        after = (received > one.recv_ns) | ((received == one.recv_ns) & (number > one.seq))
        hit[after] = False
        for veto in one.vetoes:
            if veto.branch == branch and day < veto.until_day:
                detector, coin = parts_of(veto.target)
                own = after if not detector else after & (name == detector)
                hit |= own if not coin else own & (asset == coin)
    return _without(events, hit) if hit.any() else events


def _without(events: Mapping[str, NDArray[Any]], rows: NDArray[np.bool_]) -> Columns:
    out = dict(events)
    out["veto"] = np.where(rows, events["veto"] | np.uint32(PERSON), events["veto"]).astype(events["veto"].dtype)
    for column in ("pi", "eligible", "published"):
        out[column] = np.where(rows, np.zeros(1, events[column].dtype), events[column])
    return out
