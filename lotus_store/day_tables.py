"""The frozen tables of scored days as documents of the lake: one per branch and day, beside the events they scored.

Whoever wants tables asks here: the daemon for those of its day, batch and `explain` for those that an event names.
What stands in a table is `lotus.detectors.daily.tables`; what audits add for the days after theirs is
`lotus.detectors.curators`, and their cards `lotus.detectors.stage_gate`.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lotus.curation.act import CurationAct
from lotus.curation.in_force import acted
from lotus.detectors.audits.table import DETECTOR_AUDITS, curator_inputs
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.curators import CuratorInput, curated
from lotus.detectors.daily.make import day_tables
from lotus.detectors.daily.tables import CURATED, TERMS, DayTables, tables_from_json, tables_to_json
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.stage_gate import CARD_COLUMNS, StageGate, gated, gates_of
from lotus.errors import LakeError, SchemaError
from lotus.manifest import Asset, Manifest
from lotus_store.lake import DAMAGED, Lake

_DOCUMENT = "day_tables"
_SCORED = "signal_events"
_AUDIT_COLUMNS = ("detector_id", "spec_version", "audit", "value")


def write_day_tables(lake: Lake, branch: str, tables: DayTables) -> None:
    """Store the tables of their day; to be called before the events that they scored are written."""
    lake.write_document(_DOCUMENT, branch, tables.day, tables_to_json(tables).decode())


def read_day_tables(
    lake: Lake, branch: str, until: str = "9999-12-31", skip: Container[str] = ()
) -> Iterator[DayTables]:
    """Yield the tables of the branch's scored days up to and with `until`, newest first, except days in `skip`."""
    for day in reversed(lake.days(_SCORED, branch)):
        if day <= until and day not in skip:
            yield _read(lake, branch, day)


def _read(lake: Lake, branch: str, day: str) -> DayTables:
    """Read the tables of a day; raises `LakeError` when their document is missing, damaged or of other values."""
    try:
        return tables_from_json(lake.read_document(_DOCUMENT, branch, day))
    except SchemaError as problem:
        place = f"{_DOCUMENT}/branch={branch}/day={day}/document.json of the lake"
        raise LakeError(f"{place} cannot be read: {problem}", "the tables that were written", DAMAGED) from problem


def tables_of_day(lake: Lake, branch: str, day: str) -> DayTables:
    """Return the tables under which a day was scored; raises `LakeError` when they are not there."""
    if not lake.exists(_SCORED, branch, day):
        raise LakeError(f"no day tables of {day} on {branch}", "those written with signal_events", "a pruned lake")
    return _read(lake, branch, day)


def read_curator_inputs(lake: Lake, branch: str, day: str) -> Mapping[str, CuratorInput]:
    """Return the audits of a day for the curators, by detector; nothing when the day was not audited."""
    if not lake.exists(DETECTOR_AUDITS.name, branch, day):
        return {}
    return curator_inputs(lake.read(DETECTOR_AUDITS.name, branch, day, columns=_AUDIT_COLUMNS))


def has_cards(lake: Lake, branch: str, day: str) -> bool:
    """Return whether the cards of a day are written, the last of what its tables take over to the days after."""
    return lake.exists(DETECTOR_CARDS.name, branch, day)


def read_gates(lake: Lake, branch: str, day: str, detectors: Sequence[DetectorSpec]) -> Mapping[str, StageGate]:
    """Return the gates that the cards of a day say, by detector; nothing when there are none."""
    if not has_cards(lake, branch, day):
        return {}
    return gates_of(lake.read(DETECTOR_CARDS.name, branch, day, columns=CARD_COLUMNS), detectors)


def tables_after(lake: Lake, branch: str, tables: DayTables, detectors: Sequence[DetectorSpec]) -> DayTables:
    """Return the tables of a day as they serve the days after it: with what its audits and cards found."""
    gates = read_gates(lake, branch, tables.day, detectors)
    return gated(curated(tables, read_curator_inputs(lake, branch, tables.day), detectors), gates)


def served_tables(
    lake: Lake,
    branch: str,
    until: str,
    manifest: Manifest,
    detectors: Sequence[DetectorSpec],
    acts: Sequence[CurationAct],
) -> Iterator[DayTables]:
    """Yield every table that could score the day `until`: its own and earlier days' newest first, then without history.

    A daemon scores with the tables of the newest day committed at its birth, and with the audits and cards of that day
    if they were there, so each earlier day's tables stand here up to three times; always over `detectors` and under
    `acts`, which are those in force on `until`.
    """
    blank = day_tables(until, [], manifest, manifest.universe, detectors)
    for tables in read_day_tables(lake, branch, until):
        if tables.day < until and tables.assets == blank.assets:
            over = tables_over(tables, blank)
            yield acted(tables_after(lake, branch, over, detectors), acts)
            yield acted(curated(over, read_curator_inputs(lake, branch, tables.day), detectors), acts)
            yield acted(over, acts)
        yield tables
    yield acted(blank, acts)


def tables_over(tables: DayTables, blank: DayTables) -> DayTables:
    """Return the tables over the detectors of `blank`, where those that they do not know stand as in `blank`."""
    if tables.detector_ids == blank.detector_ids:
        return tables
    of = {name: d for d, name in enumerate(tables.detector_ids)}
    columns: dict[str, Any] = {}
    for name in (*TERMS, "kr_rho", "neutral", "quality", *CURATED):
        old, new = getattr(tables, name), getattr(blank, name)
        if name in CURATED and not old and not new:
            continue
        old, new = (one or (CURATED[name],) * len(x.detector_ids) for one, x in ((old, tables), (new, blank)))
        columns[name] = tuple(old[of[d]] if d in of else new[k] for k, d in enumerate(blank.detector_ids))
    return replace(tables, detector_ids=blank.detector_ids, **columns)


def shadow_tables(
    tables: DayTables, manifest: Manifest, universe: Sequence[Asset], detectors: Sequence[DetectorSpec]
) -> DayTables:
    """Return the tables over `detectors`, of which they know the first ones; the others' terms are named neutral."""
    blank = day_tables(tables.day, [], manifest, universe, detectors)
    return tables_over(tables, replace(blank, stage_gate=()))
