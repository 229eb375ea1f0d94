"""The regime curator: where surprise or entrainment is no number to rely on, every detector is nudged down.

Both enter each score; a share of more than half of the windows in which one is null or stands still, although it could
be known, is a fault of its input and no regime.
"""

from typing import Final

from lotus.curation.act import CurationKind
from lotus.curation.facts import NightFacts, Proposal

MOST: Final = 0.5


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return a nudge of every detector while surprise or entrainment is broken."""
    shares = {"kr_hbar": facts.broken_hbar, "entrain": facts.broken_entrain}
    broken = {name: share for name, share in shares.items() if share is not None and share > MOST}
    if not broken or not kappa:
        return []
    why = "; ".join(f"{name} is null or stands still in {share:.0%} of the windows" for name, share in broken.items())
    return [Proposal(CurationKind.NUDGE, d.detector_id, -kappa, why) for d in facts.detectors]
