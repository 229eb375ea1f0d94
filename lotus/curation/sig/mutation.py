"""The mutation curator: a newcomer among detectors with a past is held back until ten days of it have matured.

c = -kappa (1 - matured days / 10). On a branch where nobody has ten days there is nothing to hold a newcomer against,
and all would be moved alike.
"""

from typing import Final

from lotus.curation.act import CurationKind
from lotus.curation.facts import NightFacts, Proposal
from lotus.detectors.daily.quality import MIN_DAYS

GROWN: Final = MIN_DAYS


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return a nudge of every detector with fewer than ten matured days, where another has as many."""
    if not kappa or max((d.matured_days for d in facts.detectors), default=0) < GROWN:
        return []
    return [
        Proposal(
            CurationKind.NUDGE, d.detector_id, -kappa * (1.0 - d.matured_days / GROWN), f"{d.matured_days} matured days"
        )
        for d in facts.detectors
        if d.matured_days < GROWN
    ]
