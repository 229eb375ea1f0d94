"""What the braids that fired in a window claim: by how much each says that the window pays more than its neighbours.

The claim of a micro braid is the uplift of its lesson as it was learned, signed, in bps of payoff; it stays the same as
long as the braid lives. Meta braids act through micro braids and field braids claim nothing, so that none counts twice.
How far claims are kept is measured by the decision-maker (`lotus.decision.knowledge.claims`), not here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lotus.priors.compiled import fired_braids
from lotus.priors.types import PriorsVersion

NO_LEVEL: Final = -1  # level of a window in which no braid with a claim fired


@dataclass(frozen=True, slots=True)
class FiredClaim:
    """The claim in bps of one braid that fired, and the level of trust that the braid has earned, 0 = none yet."""

    braid_id: str
    claim_bps: float
    level: int = 0


def fired_claims(
    version: PriorsVersion, detector_id: str, fired: int, claims_bps: Mapping[str, float],
    levels: Mapping[str, int] | None = None,
) -> tuple[FiredClaim, ...]:  # fmt: skip
    """Return the claims behind a stored bit mask, in the order of its bits.

    `claims_bps` and `levels` are by braid; a micro braid without a claim of its own (a seed, a hand-made one) is left
    out, one that `levels` does not name has that of the version.
    """
    micro = [b for b in fired_braids(version, detector_id, fired) if b.braid_type == "micro"]
    return tuple(
        FiredClaim(b.braid_id, claims_bps[b.braid_id], (levels or {}).get(b.braid_id, b.level))
        for b in micro
        if b.braid_id in claims_bps
    )


def total_of(claims: Iterable[FiredClaim]) -> tuple[float, int]:
    """Return what a window's claims add up to in bps, and the highest level among them; (0, NO_LEVEL) for none.

    >>> total_of([FiredClaim("a", 1.5, 1), FiredClaim("b", -0.5)])
    (1.0, 1)
    """
    every = tuple(claims)
    return sum((c.claim_bps for c in every), 0.0), max((c.level for c in every), default=NO_LEVEL)
