"""A finalist beside the candidates that stand already: does it repeat one of them, or say its opposite?

Profiles are daily sums in the direction in which each pays. Days of two that both pay and go against each other are a
contradiction: one of them is fitted. What it was made of is no rival. Attacks on the finalist itself are `bar`'s, the
audits of leakage are those of detectors. (Literature: model audit; ensembles and diversity.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from lotus.coprocessor.bar import CandidateVerdict, Finalist
from lotus.coprocessor.scoring import correlation
from lotus.coprocessor.selection import REDUNDANT

CONTRADICTION: Final[float] = -0.9


def beside(finalist: Finalist, profiles: Mapping[str, Sequence[float]]) -> Finalist:
    """Return a finalist as it is, or refused for the first standing candidate that it repeats or contradicts.

    `profiles` are daily sums on the same days, by name.
    """
    if finalist.verdict.state != "screened":
        return finalist
    for name, daily in profiles.items():
        found = correlation(finalist.score.daily, daily)
        if found < CONTRADICTION:
            words = f"its days go against those of {name[:12]}: {found:.2f}"
            return replace(finalist, verdict=CandidateVerdict("refused", "contradiction", found, CONTRADICTION, words))
        if found > REDUNDANT and name not in finalist.found.parents:
            words = f"its days go along with those of {name[:12]}: {found:.2f}"
            return replace(finalist, verdict=CandidateVerdict("refused", "redundant", found, REDUNDANT, words))
    return finalist
