"""From rows of SIGNAL_EVENTS to payloads of the signal contract; daemon, command line and tests all go through here.

What a row does not hold is added from the detector's specification, the manifest, and the priors and tables that the
row names, so the same row gives the same payload live and in batch. The schemas and their builders are `lotus.modules`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.curators import FRAGILITY, fragility_nudges, log_nudges
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.meta_signals import MEASURED as MEASURED_COMPONENTS
from lotus.detectors.meta_signals import asymmetry_of
from lotus.detectors.scoring.signal_spec import ACT_VETOES, ENTRAIN, KAIROS, NO_EVIDENCE, SIGNAL_EVENTS, UNCERT, VETOES
from lotus.detectors.spec import DetectorSpec
from lotus.detectors.spec_triggers import suggested
from lotus.errors import BeliefError, SchemaError
from lotus.hashing import natural_id
from lotus.manifest import Manifest
from lotus.modules.signals import BUILDERS, Gate, Payload, Row, SignalFacts
from lotus.priors.claims import fired_claims
from lotus.priors.compiled import fired_braids
from lotus.priors.context import context_text
from lotus.priors.types import PriorsVersion
from lotus.priors.vocabulary import BIN_COLUMNS, VALUE_COLUMNS

MEASURED = (
    "asset", "window_start_ms", "window_end_ms", "close_recv_ns", "close_seq", "mid2", "spread_bps", "rv_bps", "s",
    "uncert", "kairos", "entrain", "mx_evidence", "mx_confirm", *(name for name in VALUE_COLUMNS if name != "x_hbar"),
)  # fmt: skip

NO_CLAIMS: Mapping[str, float] = MappingProxyType({})


def facts_of(
    row: Row, spec: DetectorSpec, manifest: Manifest, priors: PriorsVersion, tables: DayTables, experts_ver: str,
    claims_bps: Mapping[str, float] = NO_CLAIMS,
) -> SignalFacts:  # fmt: skip
    """Return what a payload of the row says beyond it; `experts_ver` names the experts of its day.

    `claims_bps` is what braids claim, by braid.

    Raises `SchemaError` for another detector, version or tables, `BeliefError` for priors that the row does not name.
    """
    if tables.tables_ver != row["tables_ver"]:
        raise SchemaError(f"tables {tables.tables_ver}", str(row["tables_ver"]), "tables of another day")
    if (spec.detector_id, spec.version) != (row["detector_id"], row["spec_version"]):
        found = f"specification {spec.detector_id} v{spec.version}"
        raise SchemaError(found, f"{row['detector_id']} v{row['spec_version']}", "the detector has changed since")
    if priors.priors_ver != row["priors_ver"]:
        raise BeliefError(f"priors {priors.priors_ver}", str(row["priors_ver"]), "another version was in force")
    veto, score = int(row["veto"]), manifest.score
    braids = fired_braids(priors, spec.detector_id, int(row["fired"]))
    asymmetry, asymmetry_score = asymmetry_of(row, tables)
    return SignalFacts(
        band_s=spec.band_s,
        recipe_hash=spec.spec_id,
        experts_ver=experts_ver,
        data_fingerprint=data_fingerprint(row),
        card_ref=f"detector_cards/{spec.detector_id}@{spec.version}",
        vetoes=tuple(name for bit, name in VETOES.items() if veto & bit),
        gates={
            "det_kairos": Gate("kairos", score.tau_kairos, "at_least", not veto & KAIROS),
            "det_entrain_r": Gate("entrain", score.tau_entrain, "at_least", not veto & ENTRAIN),
            "det_uncert": Gate("uncert", score.tau_uncert, "at_most", not veto & UNCERT),
            "mx_evidence": Gate("mx_evidence", None, "known", not veto & NO_EVIDENCE),
        },
        triggers=suggested(spec.triggers, float(row["s"])),
        braids_fired=tuple(braid.braid_id for braid in braids),
        claims=tuple(asdict(c) for c in fired_claims(priors, spec.detector_id, int(row["fired"]), claims_bps)),
        context=context_text([int(row[name]) for name in BIN_COLUMNS]),
        asymmetry=asymmetry,
        asymmetry_score=asymmetry_score,
        asymmetry_weights=dict(zip(MEASURED_COMPONENTS, tables.asymmetry_weights, strict=False)),
        trend=float(row["x_trend"]),
        **_curation(row, tables, score.kappa_fragility),
    )


def _curation(row: Row, tables: DayTables, kappa: float) -> dict[str, Any]:
    """Return what acts in force do to the row's detector and coin, each by its name; nothing without one."""
    barred = tuple(name for bit, name in ACT_VETOES.items() if int(row["veto"]) & bit)
    if row["detector_id"] not in tables.detector_ids or not (barred or tables.curator_nudge or tables.curator_veto):
        return {}
    d = tables.detector_ids.index(row["detector_id"])
    nudges = dict(tables.curator_nudge[d]) if tables.curator_nudge else {}
    if not nudges and not barred:
        return {}
    fragile = float(fragility_nudges(tables, kappa)[d])
    if fragile:
        nudges[FRAGILITY] = nudges.get(FRAGILITY, 0.0) + fragile
    return {"nudges": nudges, "nudge": float(log_nudges(tables, kappa)[d]), "barred": barred}


def data_fingerprint(row: Row) -> str:
    """Return the hash of what tape and experts decide of a row (`MEASURED`): scored again, it is found again.

    Priors, day tables and branch do not enter, so that two branches over one tape and one set of experts share it.
    """
    return natural_id("window", *(_plain(row[name]) for name in MEASURED))


def payloads_of(row: Row, facts: SignalFacts) -> list[Payload]:
    """Return everything that a published row puts on the bus, not validated yet."""
    return [build(row, facts) for build in BUILDERS.values()]


def published_rows(events: Mapping[str, NDArray[Any]]) -> Iterator[Row]:
    """Yield the published rows of columns of SIGNAL_EVENTS as plain values."""
    rows = np.flatnonzero(np.asarray(events["published"]).astype(np.bool_))
    columns = {name: np.asarray(events[name])[rows].tolist() for name in SIGNAL_EVENTS.names}
    for k in range(len(rows)):
        yield {name: values[k] for name, values in columns.items()}


def spec_of(row: Row, detectors: Sequence[DetectorSpec]) -> DetectorSpec:
    """Return the specification that a row names; raises `SchemaError` when it is none of `detectors`."""
    for spec in detectors:
        if (spec.detector_id, spec.version) == (row["detector_id"], row["spec_version"]):
            return spec
    shipped = ", ".join(f"{d.detector_id} v{d.version}" for d in detectors)
    raise SchemaError(f"no specification of {row['detector_id']} v{row['spec_version']}", shipped, "it was retired")


def _plain(value: str | int | float) -> str | int | float:
    return value if isinstance(value, str | int) else float(value)
