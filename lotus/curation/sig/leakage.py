"""The leakage curator: a detector that shows that it knows the future is vetoed the day after, by its audit itself.

The veto goes from `detector_audits` straight into the tables of the days after (`lotus.detectors.curators`), where no
act can lift it; so nothing is left to propose here.
"""

from lotus.curation.facts import NightFacts, Proposal


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return nothing: the audit's veto stands in the tables already."""
    return []
