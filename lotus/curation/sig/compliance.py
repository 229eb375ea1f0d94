"""The compliance curator: what the settings forbid is vetoed, whatever it earns. (Literature: pre-trade compliance.)"""

import re
from typing import Final

from lotus.curation.act import CurationKind, parts_of
from lotus.curation.facts import NightFacts, Proposal

HORIZON: Final = re.compile(r"([1-9][0-9]{0,6})s")


def judge(facts: NightFacts, kappa: float) -> list[Proposal]:
    """Return a veto for everything in `facts.forbidden`: a target, or all detectors of a horizon such as `3600s`."""
    targets: dict[str, str] = {}
    for entry in facts.forbidden:
        for target in _targets(facts, entry):
            targets.setdefault(target, entry)
    return [
        Proposal(CurationKind.VETO, target, 0.0, f"forbidden by the settings: {entry}")
        for target, entry in targets.items()
    ]


def unmatched(facts: NightFacts) -> list[str]:
    """Return the entries of `facts.forbidden` that name nothing: a misspelt rule forbids nothing."""
    return [entry for entry in facts.forbidden if not _targets(facts, entry)]


def _targets(facts: NightFacts, entry: str) -> list[str]:
    horizon = HORIZON.fullmatch(entry)
    if horizon:
        return [d.detector_id for d in facts.detectors if d.horizon_s == int(horizon[1])]
    detector, coin = parts_of(entry)
    is_one = detector in ("", *(d.detector_id for d in facts.detectors)) and coin in ("", *facts.assets)
    return [entry] if is_one and (detector or coin) else []
