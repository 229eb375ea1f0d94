"""How far patches move in one night: a contraction towards their targets, within the limits of a detector."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from lotus.manifest import Manifest
from lotus.priors.types import Patch
from lotus.weave.contraction import contract, night_moves

MANIFEST = Manifest()
WEAVE, SCORE = MANIFEST.weave, MANIFEST.score
thetas = st.floats(-0.12, 0.12)
phis = st.floats(1 / 1.06, 1.06)
gates = st.floats(-2.0, 2.0)
patches = st.builds(lambda theta, phi, gate: Patch(theta, phi, (), gate), thetas, phis, gates)


@settings(deadline=None)
@given(patches, patches, patches)
def test_the_nightly_update_is_a_contraction(p: Patch, q: Patch, target: Patch) -> None:
    def norm(a: Patch, b: Patch) -> float:
        return math.hypot(a.theta_delta - b.theta_delta, math.log(a.phi_mult / b.phi_mult), a.gate - b.gate)

    assert norm(contract(p, target, WEAVE), contract(q, target, WEAVE)) <= (1 - WEAVE.contraction) * norm(p, q) + 1e-12


@settings(deadline=None)
@given(st.lists(st.tuples(patches, patches), min_size=1, max_size=8))
def test_no_night_moves_a_detector_beyond_its_limits(pairs: list[tuple[Patch, Patch]]) -> None:
    moved = night_moves([p for p, _ in pairs], [t for _, t in pairs], WEAVE)
    theta = [m.theta_delta - p.theta_delta for m, (p, _) in zip(moved, pairs, strict=True)]
    ln_phi = [math.log(m.phi_mult / p.phi_mult) for m, (p, _) in zip(moved, pairs, strict=True)]
    gate = [m.gate - p.gate for m, (p, _) in zip(moved, pairs, strict=True)]
    limits = WEAVE.night_theta, math.log1p(WEAVE.night_phi), WEAVE.night_gate
    for moves, limit in zip((theta, ln_phi, gate), limits, strict=True):
        assert sum(max(x, 0) for x in moves) <= limit + 1e-7
        assert sum(max(-x, 0) for x in moves) <= limit + 1e-7


def test_a_gate_goes_a_quarter_logit_a_night_then_half_of_what_is_left() -> None:
    patch, seen = Patch(), []
    for _ in range(5):
        (patch,) = night_moves([patch], [Patch(gate=1.0)], WEAVE)
        seen.append(patch.gate)
    assert seen == [0.25, 0.5, 0.75, 0.875, 0.9375]
    assert (patch.theta_delta, patch.phi_mult) == (0.0, 1.0)
