"""The adversarial curator: a detector that breaks when the tape is disturbed, on two of three audited days, is vetoed.

What a lesser fragility costs is in the tables already (`lotus.detectors.curators`). (Literature: stress testing.)
"""

from typing import Final

from lotus.curation.act import CurationKind
from lotus.curation.facts import NightFacts, Proposal
from lotus.detectors.audits.adversarial import FRAGILITY_BOUND

LOOKED, NEEDED = 3, 2
_WORDS: Final = f"loses more than {FRAGILITY_BOUND:.0%} of its score on a disturbed tape"


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return vetoes of detectors beyond the bound on two of their last three audited days."""
    out = []
    for d in facts.detectors:
        last = list(d.fragilities)[-LOOKED:]
        if sum(share > FRAGILITY_BOUND for share in last) >= NEEDED:
            shown = ", ".join(f"{share:.0%}" for share in last)
            out.append(Proposal(CurationKind.VETO, d.detector_id, 0.0, f"{_WORDS}: {shown}"))
    return out
