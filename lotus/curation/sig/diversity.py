"""The diversity curator: a twin of a better detector is vetoed, crowded detectors are nudged down and rare ones up.

c = kappa (1/n - mean 1/n), n the number of detectors whose payoffs go together (|corr| > .6, directly or in a chain).
(Literature: orthogonality of alphas, ensemble diversity.)
"""

from typing import Final

from lotus.curation.act import CurationKind
from lotus.curation.facts import NightFacts, Proposal
from lotus.curation.likeness import clusters

TWIN: Final = 0.9
ALIKE: Final = 0.6
LEAST: Final = 1e-6  # a nudge below it is none


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return vetoes of twins and nudges by the size of each detector's cluster."""
    scores = {d.detector_id: d.sq_score if d.sq_score is not None else -1.0 for d in facts.detectors}
    out = []
    for pair in facts.likenesses:
        if pair.low > TWIN and scores[pair.first] != scores[pair.second]:
            worse, better = sorted((pair.first, pair.second), key=scores.__getitem__)
            size = f"|corr| {abs(pair.corr):.3f}, at least {pair.low:.3f} in {pair.days} days"
            out.append(Proposal(CurationKind.VETO, worse, 0.0, f"payoffs as those of {better}: {size}"))
    sizes = clusters(scores, [(p.first, p.second) for p in facts.likenesses if abs(p.corr) > ALIKE])
    mean = sum(1.0 / n for n in sizes.values()) / max(len(sizes), 1)
    for name, n in sizes.items():
        if abs(log := kappa * (1.0 / n - mean)) > LEAST:
            out.append(Proposal(CurationKind.NUDGE, name, log, f"one of {n} whose payoffs go together"))
    return out
