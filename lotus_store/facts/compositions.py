"""What `lotus lessons` and `lotus review list` say of compositions across modules: those in force and those judged.

Read from the trader's database; nothing is judged here.
"""

from typing import Any

from lotus.detectors.entry_style import EntryStyle
from lotus.knobs.compositions import TAKEN, direction_of, is_across
from lotus.knobs.style_draw import STEPS
from lotus.priors.trace import describe_braid
from lotus.priors.vocabulary import describe_rule
from lotus.timebase import day_of, next_day
from lotus.weave.braid import Braid
from lotus.weave.meta import MetaCandidate
from lotus_store.databases import Connection
from lotus_store.facts.braids import braid_facts
from lotus_store.ledger.beliefs.knob_nights import COMPOSITION, read_records, read_registry
from lotus_store.ledger.bodies import from_body

Rows = list[dict[str, Any]]


def composition_rows(tr: Connection, branch: str, day: str, everything: bool = False) -> Rows:
    """Return the compositions after the nightly run of a day: braids that live (all with `everything`), candidates."""
    registry = [b for b in read_registry(tr, "tr", branch, next_day(day)) if is_across(b)]
    records = read_records(tr, "tr", branch, day, COMPOSITION)
    candidates = [from_body(body, MetaCandidate) for _, body in sorted(records.items())]
    judged = [_candidate(c) for c in candidates if everything or c.verdict != "promoted"]
    return [*(_braid(b) for b in registry if everything or b.in_force), *judged]


def _braid(braid: Braid) -> dict[str, Any]:
    owner, _, detector = braid.detector_id.partition("@")
    rule = describe_braid(braid.active())
    claims = f"claims {braid.claim_bps:+.2f} bps a plan, e-value against it {braid.e_value:.2f}"
    return {
        **braid_facts(braid),
        "detector_id": detector,
        "owner": owner,
        "parents": list(braid.parents),
        "claim_bps": braid.claim_bps,
        "e_value": braid.e_value,
        "reason": braid.reason,
        "does": f"{_styles(owner, detector, direction_of(braid) == TAKEN)} where {rule}",
        "evidence": f"braid {braid.braid_id} {claims}, until {day_of(braid.expires_at_ms)}",
    }


def _candidate(candidate: MetaCandidate) -> dict[str, Any]:
    owner, _, detector = candidate.detector_id.partition("@")
    rule, weight = describe_rule(candidate.parts.rules[0]), sum(candidate.weight)
    paid = f"paid {sum(candidate.gain) / weight:+.2f} bps a plan" if weight > 0.0 else "no trial"
    return {
        "candidate_id": candidate.candidate_id,
        "type": "candidate",
        "detector_id": detector,
        "owner": owner,
        "rule": rule,
        "state": candidate.verdict,
        "parents": list(candidate.parents),
        "days": candidate.days,
        "m_nats": candidate.m_nats,
        "reason": candidate.reason or "begins",
        "does": f"{_styles(owner, detector, candidate.parts.tilts[0] == TAKEN)} where {rule}",
        "evidence": f"{paid} on {candidate.days} learning days since {candidate.started}",
    }


def _styles(owner: str, detector_id: str, is_taken: bool) -> str:
    """Return what a composition does in words.

    >>> _styles("execution.entry_style", "sweep", False)
    'sweep: cross, although a lesson of the trader says join'
    """
    styles = (EntryStyle.CROSS, *(style for _, style in STEPS))
    at = [name for name, _ in STEPS].index(owner)
    chosen, ordered = (at + 1, at) if is_taken else (at, at + 1)
    return f"{detector_id}: {styles[chosen].value}, although a lesson of the trader says {styles[ordered].value}"
