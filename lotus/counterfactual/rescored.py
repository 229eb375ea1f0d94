"""The propensity of a day's stored windows under a change: drawn again by the scoring's own kernel, nothing simulated.

A window whose logged propensity the same kernel does not give under its own inputs (another release scored it) keeps
it and is counted. Vetoes are those that were logged, but for what the change lifts or sets. (Literature: off-policy
evaluation, counterfactual propensity.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.counterfactual.change import WhatIfChange, manifest_under, tables_under, versions_under
from lotus.detectors.curators import act_vetoes, veto_bits
from lotus.detectors.daily.asset_groups import groups_of
from lotus.detectors.daily.segment_list import STORED_COLUMNS, stored_labels
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.again import StoredWindows, drawn_again
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.scoring.signal_spec import KAIROS, NO_EVIDENCE, UNCERT
from lotus.detectors.spec import DetectorSpec
from lotus.manifest import Manifest
from lotus.priors.types import ActiveBraid, PriorsVersion, priors_version
from lotus.priors.vocabulary import BIN_COLUMNS, FEATURE_NAMES, N_BINS

Columns = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
AS_LOGGED = 1e-9
EVENT_COLUMNS = (
    "event_id", "detector_id", "asset", "window_end_ms", "s", "uncert", "kairos", "mx_evidence", "kr_hbar",
    "crowd_share", "veto", "published", "pi", "tables_ver", "priors_ver", *BIN_COLUMNS, *STORED_COLUMNS,
)  # fmt: skip
_MX = FEATURE_NAMES.index("mx")


@dataclass(frozen=True, slots=True)
class Scoring:
    """What stored windows were scored by, and what is put in its place; `added`: braids that act beside it.

    `detectors`: all of any of the windows' days.
    """

    manifest: Manifest
    detectors: tuple[DetectorSpec, ...]
    change: WhatIfChange
    other_priors: PriorsVersion | None = None
    added: tuple[ActiveBraid, ...] = ()


@dataclass(frozen=True, slots=True)
class Rescored:
    """Propensities [n] under the change; how many windows the kernel does not give back as they were logged."""

    pi: Floats
    unlike: int


def rescored(
    scoring: Scoring,
    events: Columns,
    codes: Mapping[str, tuple[Sequence[str], NDArray[np.int64]]],
    tables: Sequence[DayTables],
    versions: Sequence[PriorsVersion],
    evidence: Floats | None = None,
) -> Rescored:
    """Return the propensities of stored windows under a change.

    `events`: `EVENT_COLUMNS`; `codes`: of the text columns detector_id, asset, tables_ver and priors_ver their names
    and the place of each row's; `tables`, `versions`: those that the windows name; `evidence`: f8[n] that the signal's
    direction has without the experts left out. Windows whose tables are not given keep their propensity.
    """
    logged = np.asarray(events["pi"], np.float64)
    out, unlike = logged.copy(), 0
    names, place = codes["tables_ver"]
    by_name = {one.tables_ver: one for one in tables}
    ordered = _rising(versions)
    for code, name in enumerate(names):
        rows = np.flatnonzero(place == code)
        one = by_name.get(name)
        if one is None:
            unlike += len(rows)
            continue
        base = _scorer(scoring.manifest, scoring, one, ordered)
        manifest = manifest_under(scoring.change, scoring.manifest)
        other = tables_under(scoring.change, one)
        under = _with(versions_under(scoring.change, ordered, scoring.other_priors), scoring.added)
        changed = _scorer(manifest, scoring, other, under)
        stored = _stored(events, codes, one, ordered, rows)
        before = drawn_again(base.inputs, stored)
        moved = stored if evidence is None else _with_evidence(stored, evidence[rows], one, codes["asset"], rows)
        after = drawn_again(changed.inputs, moved)
        veto = np.asarray(events["veto"], np.int64)[rows]
        is_same = (veto != 0) | (np.abs(before - logged[rows]) <= AS_LOGGED)
        veto = _vetoes(events, rows, veto, scoring, manifest, (one, other), codes, moved.evidence)
        out[rows] = np.where(is_same, np.where(veto == 0, after, 0.0), logged[rows])
        unlike += int(np.count_nonzero(~is_same))
    return Rescored(out, unlike)


def _scorer(manifest: Manifest, scoring: Scoring, tables: DayTables, versions: Sequence[PriorsVersion]) -> Scorer:
    by_id = {spec.detector_id: spec for spec in scoring.detectors}
    detectors = [by_id[name] for name in tables.detector_ids]
    return Scorer(manifest, manifest.universe, detectors, tables, versions, versions[0].branch)


def _with(versions: Sequence[PriorsVersion], added: tuple[ActiveBraid, ...]) -> Sequence[PriorsVersion]:
    if not added:
        return versions
    return [priors_version(v.branch, v.effective_from_ms, (*v.braids, *added)) for v in versions]


def _rising(versions: Sequence[PriorsVersion]) -> list[PriorsVersion]:
    by_time = {v.effective_from_ms: v for v in versions}
    return [by_time[moment] for moment in sorted(by_time)]


def _stored(
    events: Columns,
    codes: Mapping[str, tuple[Sequence[str], NDArray[np.int64]]],
    tables: DayTables,
    versions: Sequence[PriorsVersion],
    rows: NDArray[np.int64],
) -> StoredWindows:
    detector = _placed(codes["detector_id"], tables.detector_ids, rows)
    coin = _placed(codes["asset"], tables.assets, rows)
    version = _placed(codes["priors_ver"], [v.priors_ver for v in versions], rows)
    evidence, hbar, crowd = (
        np.ascontiguousarray(events[name][rows], np.float64) for name in ("mx_evidence", "kr_hbar", "crowd_share")
    )
    bins = np.stack([np.asarray(events[name], np.uint8)[rows] for name in BIN_COLUMNS], axis=1)
    ends = np.ascontiguousarray(events["window_end_ms"][rows], np.int64)
    group = (
        stored_labels(tables, coin, {name: events[name][rows] for name in STORED_COLUMNS})
        if tables.segments
        else groups_of(tables)[coin]
    )
    return StoredWindows(detector, version, group, ends, evidence, hbar, crowd, bins)


def _placed(
    coded: tuple[Sequence[str], NDArray[np.int64]], names: Sequence[str], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    place = {name: k for k, name in enumerate(names)}
    return np.array([place.get(name, 0) for name in coded[0]], np.int64)[coded[1][rows]]


def _with_evidence(
    stored: StoredWindows,
    evidence: Floats,
    tables: DayTables,
    assets: tuple[Sequence[str], NDArray[np.int64]],
    rows: NDArray[np.int64],
) -> StoredWindows:
    """Return the windows with other evidence, in its bin of the context."""
    edges = tables.edge_array()[_placed(assets, tables.assets, rows), _MX, : N_BINS[_MX] - 1]
    bins = stored.bins.copy()
    has_bin = np.isfinite(evidence) & np.isfinite(edges[:, 0])
    bins[:, _MX] = np.where(has_bin, (evidence[:, None] > edges).sum(axis=1), 255)
    return stored._replace(evidence=np.ascontiguousarray(evidence), bins=bins)


def _vetoes(
    events: Columns,
    rows: NDArray[np.int64],
    veto: NDArray[np.int64],
    scoring: Scoring,
    manifest: Manifest,
    tables: tuple[DayTables, DayTables],
    codes: Mapping[str, tuple[Sequence[str], NDArray[np.int64]]],
    evidence: Floats,
) -> NDArray[np.int64]:
    """Return the veto of windows under the change: bits of the tables, of moved thresholds and of missing evidence."""
    before, after = tables
    if before is not after:
        d, a = _placed(codes["detector_id"], before.detector_ids, rows), _placed(codes["asset"], before.assets, rows)
        had = (veto_bits(before)[None, :] | act_vetoes(before))[a, d]
        has = (veto_bits(after)[None, :] | act_vetoes(after))[a, d]
        veto = veto & ~had | has
    own, other = scoring.manifest.score, manifest.score
    if own.tau_kairos != other.tau_kairos:
        is_low = ~(np.asarray(events["kairos"], np.float64)[rows] >= other.tau_kairos)
        veto = veto & ~KAIROS | np.where(is_low, KAIROS, 0)
    if own.tau_uncert != other.tau_uncert:
        is_high = ~(np.asarray(events["uncert"], np.float64)[rows] <= other.tau_uncert)
        veto = veto & ~UNCERT | np.where(is_high, UNCERT, 0)
    if scoring.change.experts:
        veto = veto & ~NO_EVIDENCE | np.where(np.isfinite(evidence), 0, NO_EVIDENCE)
    return veto
