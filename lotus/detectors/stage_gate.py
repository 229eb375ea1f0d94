"""What a detector's stage of life does to its publication: open, at the exploration floor, or closed.

The stage is that of the newest card of an earlier day (`cards.lifecycle`). A version that ten matured days left without
the quality of a promotion is drawn at the floor (pi = epsilon): it is measured on and cannot do much harm. One that is
deprecated or archived is not drawn: every window of it is vetoed. Before its card can judge it a version goes by its
specification: an active one publishes as it scores, an experimental one at the floor. Gates are frozen in the day
tables, so that live and batch read the same. Nothing is scored here. (Literature: staged roll-out, epsilon-greedy
exploration.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.cards.lifecycle import LifecycleStage, Rules
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.spec import DetectorSpec

CARD_COLUMNS: Final = ("detector_id", "spec_version", "stage", "sq_score")  # of DETECTOR_CARDS: what decides a gate


class StageGate(StrEnum):
    """How a version publishes; open is the empty word, so that tables without a gate keep their name."""

    OPEN = ""
    FLOOR = "floor"
    CLOSED = "closed"


GATE_TEXTS: Final[Mapping[str, str]] = {
    StageGate.OPEN: "its stage of life lets it publish as it scores",
    StageGate.FLOOR: "its stage of life lets it publish at the exploration floor only",
    StageGate.CLOSED: "its stage of life lets it publish nothing",
}


def gate_of(stage: str, sq_score: float, status: str, rules: Rules | None = None) -> StageGate:
    """Return the gate of a version with a card: its stage, its sq_score (NaN while neutral), its file's status."""
    match LifecycleStage(stage):
        case LifecycleStage.ACTIVE:
            return StageGate.OPEN
        case LifecycleStage.EXPERIMENTAL:
            is_poor = sq_score < (rules or Rules()).sq_promote
            return StageGate.FLOOR if is_poor or status == "experimental" else StageGate.OPEN
        case LifecycleStage.DEPRECATED | LifecycleStage.ARCHIVED:
            return StageGate.CLOSED


def gates_of(cards: Mapping[str, NDArray[np.generic]], detectors: Sequence[DetectorSpec]) -> dict[str, StageGate]:
    """Return the gates of the detectors whose present version has a card, from `CARD_COLUMNS`."""
    statuses = {(d.detector_id, d.version): d.status for d in detectors}
    rows = zip(*(cards[name].tolist() for name in CARD_COLUMNS), strict=True)
    return {
        name: gate_of(stage, sq_score, statuses[name, version])
        for name, version, stage, sq_score in rows
        if (name, version) in statuses
    }


def gates_by_status(detectors: Sequence[DetectorSpec]) -> tuple[str, ...]:
    """Return the gates of detectors without cards, in their order; empty when all are open."""
    return _or_none([StageGate.FLOOR if d.status == "experimental" else StageGate.OPEN for d in detectors])


def gated(tables: DayTables, gates: Mapping[str, StageGate]) -> DayTables:
    """Return the tables with these gates by detector; the other detectors keep theirs."""
    names = tables.detector_ids
    before = tables.stage_gate or (StageGate.OPEN,) * len(names)
    return replace(tables, stage_gate=_or_none([gates.get(n, g) for n, g in zip(names, before, strict=True)]))


def is_gated(tables: DayTables, gate: StageGate) -> NDArray[np.bool_]:
    """Return bool[D]: which detectors have this gate."""
    return np.array([found == gate for found in tables.stage_gate or (StageGate.OPEN,) * len(tables.detector_ids)])


def at_floor(events: Mapping[str, NDArray[np.generic]], used: Sequence[DayTables]) -> NDArray[np.bool_]:
    """Return which SIGNAL_EVENTS [n] were drawn at the floor only, from the tables under which they were scored."""
    out = np.zeros(len(events["detector_id"]), np.bool_)
    for tables in used:
        names = [n for n, held in zip(tables.detector_ids, is_gated(tables, StageGate.FLOOR), strict=True) if held]
        if names:
            out |= (events["tables_ver"] == tables.tables_ver) & np.isin(events["detector_id"].astype(str), names)
    return out


def _or_none(gates: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(gate) for gate in gates) if any(gates) else ()
