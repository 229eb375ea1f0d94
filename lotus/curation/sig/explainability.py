"""The explainability curator: an active version without every proof on its card publishes nothing.

Proofs: the card is that of the shipped specification, which has a golden row and passed the conformance suite before
the release; ten audits within seven days, a lineage, an interval of the net payoff, failure modes. (Literature: model
cards, Mitchell et al. 2019.)
"""

from lotus.curation.act import CurationKind
from lotus.curation.facts import NightFacts, Proposal
from lotus.detectors.cards.lifecycle import LifecycleStage


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return vetoes of active versions that lack a proof."""
    return [
        Proposal(CurationKind.VETO, d.detector_id, 0.0, f"its card lacks {', '.join(d.missing)}"[:400])
        for d in facts.detectors
        if d.stage == LifecycleStage.ACTIVE and d.missing
    ]
