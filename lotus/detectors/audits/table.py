"""DETECTOR_AUDITS: one row per detector and audit of a day, and what the curators take from it for the day after.

A finding is a row, so another audit needs no new column. The planted column stands in the table too: it shows that the
leakage audits were awake. No audit is made here. (Literature: test report; canary.)
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.detectors.audits.adversarial import (
    FRAGILITY_BOUND,
    DisturbanceEffect,
    ScoreUnder,
    adversarial_audits,
    costlier,
    fragility,
)
from lotus.detectors.audits.leakage import PLANTED, LeakageFinding, leakage_audits
from lotus.detectors.audits.sample import MIN_ROWS, SHORT_FRAMES, closed_in, rows_of, stretch
from lotus.detectors.cards.card_facts import AuditResult
from lotus.detectors.curators import CuratorInput, without_curators
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.spec import DetectorSpec
from lotus.microtape.frames.batch import FrameBatch

Columns = dict[str, NDArray[np.generic]]
LEAKAGE, ADVERSARIAL, CURATOR = "leakage", "adversarial", "curator"
LEAKAGE_VETO, ADV_FRAGILITY = "leakage_veto", "adv_fragility"

DETECTOR_AUDITS: Final = TableSpec(
    "detector_audits",
    ("detector_id", "audit"),
    (
        Column("detector_id", "text", "", f"detector, or {PLANTED}: the column that equals the future return"),
        Column("spec_version", "i4", "", "version of its specification; 0 of the planted column", low=0),
        Column("kind", "text", "", "leakage, adversarial, or curator (what a curator reads)"),
        Column("audit", "text", "", "name of the audit or disturbance"),
        Column("value", "f8", "1", "leakage: what was found; adversarial: change of the signed det_sigma, 0..1", low=0),
        Column("bound", "f8", "1", "value beyond which the audit does not pass; null when it only tells", True, 0),
        Column("passed", "?", "", "value at or below the bound"),
        Column("publication", "f8", "1", "adversarial: change of the signed propensity, 0..1; else null", True, 0, 1),
        Column("published_before", "i8", "windows", "published on the stretch as it was", low=0),
        Column("published_after", "i8", "windows", "published on it disturbed", low=0),
        Column("windows", "i8", "windows", "what the value rests on", low=0),
    ),
)


def audit_day(
    frames: FrameBatch,
    tables: DayTables,
    score: ScoreUnder,
    detectors: Sequence[DetectorSpec],
    seed: int,
    day: str,
) -> Columns:
    """Return the rows of DETECTOR_AUDITS of a day in key order; none when the day is too short to audit.

    A stretch of the day is scored as it is; disturbances and the cut tape see its first SHORT_FRAMES. `tables` count
    without their curators: what an earlier audit led to must not change what this one finds. A veto that stands in them
    makes the audits of leakage whole, so that it is lifted only by the audit that led to it.
    """
    suspected, tables = any(tables.leakage_veto), without_curators(tables)
    part = stretch(frames, seed, day)

    def alone(disturbed: FrameBatch) -> Columns:
        return score(disturbed, [tables])[0]

    plain, dearer = score(part, [tables, costlier(tables)])
    leaks = leakage_audits(part, plain, alone, detectors, seed, day, suspected)
    if not leaks:
        return audit_table([], [], detectors)
    short = rows_of(part, slice(0, SHORT_FRAMES))
    scored = closed_in(short, plain), closed_in(short, dearer)
    return audit_table(leaks, adversarial_audits(short, scored, alone, detectors, seed, day), detectors)


def audit_table(
    leaks: Sequence[LeakageFinding], changes: Sequence[DisturbanceEffect], detectors: Sequence[DetectorSpec]
) -> Columns:
    """Return findings as rows of DETECTOR_AUDITS in key order, with the two curator rows of every detector."""
    versions = {d.detector_id: d.version for d in detectors}
    nothing = (np.nan, 0, 0)
    rows = [
        (x.detector_id, versions.get(x.detector_id, 0), LEAKAGE, x.audit, x.value, x.bound, x.passed, *nothing, x.rows)
        for x in leaks
    ]
    rows += [
        (x.detector_id, versions[x.detector_id], ADVERSARIAL, x.disturbance, x.sigma, np.nan, True, x.publication,
         x.published_before, x.published_after, x.windows)
        for x in changes
    ]  # fmt: skip
    for name, version in versions.items() if leaks else ():
        own = [x for x in leaks if x.detector_id == name]
        leaked, share = float(not all(x.passed for x in own)), fragility([x for x in changes if x.detector_id == name])
        rows.append((name, version, CURATOR, LEAKAGE_VETO, leaked, 0.0, leaked == 0.0, *nothing, len(own)))
        passed = share <= FRAGILITY_BOUND
        rows.append((name, version, CURATOR, ADV_FRAGILITY, share, FRAGILITY_BOUND, passed, *nothing, len(changes)))
    rows.sort(key=lambda row: (row[0], row[3]))
    columns = zip(*rows, strict=True) if rows else ([] for _ in DETECTOR_AUDITS.columns)
    names = DETECTOR_AUDITS.names
    return {n: np.array(list(v), dtype=DETECTOR_AUDITS.numpy_dtype(n)) for n, v in zip(names, columns, strict=True)}


def curator_inputs(columns: Mapping[str, NDArray[np.generic]]) -> dict[str, CuratorInput]:
    """Return what the curators take from a day's table, by detector."""
    values: dict[tuple[str, int], dict[str, float]] = {}
    named = (columns[c].tolist() for c in ("detector_id", "spec_version", "audit", "value"))
    for name, version, audit, value in zip(*named, strict=True):
        if audit in (LEAKAGE_VETO, ADV_FRAGILITY):
            values.setdefault((name, version), {})[audit] = value
    return {
        name: CuratorInput(one[LEAKAGE_VETO] > 0.0, one[ADV_FRAGILITY], version)
        for (name, version), one in values.items()
    }


def card_audits(columns: Mapping[str, NDArray[np.generic]]) -> list[AuditResult]:
    """Return what of a day's table stands on the detectors' cards: leakage, which may fail, and fragility, which tells.

    A failed audit ends a version (`lotus.detectors.cards.lifecycle`); being fragile alone does not.
    """
    shown = ("detector_id", "kind", "audit", "value", "bound", "windows")
    audits = []
    for name, kind, audit, value, bound, windows in zip(*(columns[c].tolist() for c in shown), strict=True):
        text = f"{value:.3g}, at most {bound:.3g}, over {windows} windows"
        if kind == LEAKAGE and name != PLANTED:
            audits.append(AuditResult(audit, value <= bound, text, name))
        elif audit == ADV_FRAGILITY:
            audits.append(
                AuditResult(audit, True, f"{value:.1%} of the signed score changes when the tape is disturbed", name)
            )
    return audits


def planted_was_caught(columns: Mapping[str, NDArray[np.generic]]) -> tuple[int, int]:
    """Return how many leakage audits had enough windows of the planted column, and how many of them caught it."""
    planted = (columns["detector_id"] == PLANTED) & (columns["windows"].astype(np.int64) >= MIN_ROWS)
    return int(np.count_nonzero(planted)), int(np.count_nonzero(planted & ~columns["passed"].astype(np.bool_)))
