"""Every micro braid that fired claims once; what is on no registry claims nothing."""

from lotus.priors.claims import NO_LEVEL, FiredClaim, fired_claims, total_of
from lotus.priors.types import ActiveBraid, Patch, Rule, priors_version

PARENTS = [
    ActiveBraid(name, "micro", "a", 30, Rule(), Patch(-0.1, 1.05), level=level) for name, level in (("p", 0), ("q", 2))
]
META = ActiveBraid("m", "meta", "a", 30, Rule(), Patch(), ("p", "q"), op="INTERSECT")
VERSION = priors_version("main", 0, (*PARENTS, META))


def test_a_meta_braid_claims_nothing_beside_its_parents() -> None:
    fired = fired_claims(VERSION, "a", 0b111, {"p": 2.0, "q": -0.5, "m": 9.0})
    assert fired == (FiredClaim("p", 2.0), FiredClaim("q", -0.5, 2))
    assert total_of(fired) == (1.5, 2)


def test_only_what_fired_and_is_on_a_registry_claims() -> None:
    assert fired_claims(VERSION, "a", 0b010, {"p": 2.0, "q": 3.0}) == (FiredClaim("q", 3.0, 2),)
    assert fired_claims(VERSION, "a", 0b011, {}) == ()
    assert total_of(()) == (0.0, NO_LEVEL)
