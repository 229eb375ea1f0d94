"""A run that publishes, and the rows of its batch."""

from collections.abc import Mapping
from typing import Any

from tapes import MANIFEST, UNIVERSE

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scored import Columns
from lotus.detectors.scoring.signal_facts import NO_CLAIMS, facts_of, payloads_of, published_rows, spec_of
from lotus.experts.fusion import default_experts
from lotus.modules.canonical import canonical_json
from lotus.modules.signals import check_signal
from lotus.priors.types import ActiveBraid, Patch, Rule
from lotus_live.parity import neutral_beliefs
from lotus_live.pipeline.day_lane import LaneSpec
from lotus_store.ledger.signals.signals import SignalRow

SPEC = LaneSpec(MANIFEST, UNIVERSE, shipped_detectors(), "main")
BRAIDS = tuple(
    ActiveBraid(f"{k:032x}", "micro", d.detector_id, d.horizon_s, Rule(), Patch(-0.12, 1.06))
    for k, d in enumerate(SPEC.detectors)
)
TABLES = neutral_beliefs(SPEC).neutral
EXPERTS = default_experts().version


def rebuilt(events: Columns, *versions: Any, claims_bps: Mapping[str, float] = NO_CLAIMS) -> dict[tuple[str, str], str]:
    """Return the canonical payloads of the published rows by (event, schema)."""
    by_name = {version.priors_ver: version for version in versions}
    out = {}
    for row in published_rows(events):
        spec = spec_of(row, SPEC.detectors)
        facts = facts_of(row, spec, MANIFEST, by_name[row["priors_ver"]], TABLES, EXPERTS, claims_bps)
        for payload in payloads_of(row, facts):
            out[row["event_id"], payload["schema_ver"]] = canonical_json(check_signal(payload))
    return out


def by_name(rows: list[SignalRow]) -> dict[tuple[str, str], str]:
    return {(row.event_id, row.schema_ver): row.payload for row in rows}
