"""Priors applied: an independent oracle, the trace, the caps and the laws of the algebra."""

from dataclasses import replace

import numpy as np
import pytest
from random_priors import DETECTORS, random_bins, random_rule

from lotus.manifest import Manifest
from lotus.priors.compiled import apply_priors, attenuate, cap_tilt, caps_of, compile_priors
from lotus.priors.types import (
    ActiveBraid,
    Patch,
    Rule,
    priors_0,
    priors_version,
)

CAPS = caps_of(Manifest().weave)


def random_patch(rng: np.random.Generator, sd: float) -> Patch:
    """A patch of normal size."""
    return Patch(float(rng.normal(0, sd)), float(np.exp(rng.normal(0, sd))))


def applied(version, detector, bins, theta1, now):
    compiled = compile_priors(version, DETECTORS)
    return apply_priors(
        compiled.braids, compiled.first, compiled.count, 0, DETECTORS.index(detector), bins, theta1, now, CAPS
    )


def test_caps_always_hold() -> None:
    rng = np.random.default_rng(5)
    for _ in range(400):
        braids = [
            ActiveBraid(f"{k}", "micro", "a", 30, Rule(), random_patch(rng, 0.3)) for k in range(rng.integers(1, 64))
        ]
        theta1 = float(rng.uniform(0, 1))
        theta, phi, fired = applied(priors_version("main", 0, tuple(braids)), "a", random_bins(rng), theta1, 5)
        assert fired == (1 << len(braids)) - 1
        assert 1 / 1.15 <= phi <= 1.15
        assert abs(theta - theta1) <= 0.25 + 1e-12
        assert min(theta1, 0.05) <= theta <= max(theta1, 0.90)
        assert abs(cap_tilt(float(rng.normal()), 0.0, 0.1, 1.0)) <= 0.1


def test_nothing_changes_when_no_braid_fires() -> None:
    rng = np.random.default_rng(2)
    nulls = np.full(12, 255, dtype=np.uint8)
    for _ in range(50):
        theta1 = float(rng.uniform(0, 1))
        braid = ActiveBraid("x", "micro", "a", 30, random_rule(rng), Patch(-0.1, 1.05), (), 100, 200)
        version = priors_version("main", 0, (braid,))
        assert applied(version, "a", nulls, theta1, 150) == (theta1, 1.0, 0)
        assert applied(priors_0("main"), "a", random_bins(rng), theta1, 150) == (theta1, 1.0, 0)
        always = priors_version("main", 0, (replace(braid, rule=Rule()),))
        assert applied(always, "b", random_bins(rng), theta1, 150) == (theta1, 1.0, 0)
        assert applied(always, "a", nulls, theta1, 99)[2] == applied(always, "a", nulls, theta1, 200)[2] == 0
        assert applied(always, "a", nulls, theta1, 100)[2] == applied(always, "a", nulls, theta1, 199)[2] == 1


def test_identity_patch_is_neutral_and_attenuation_composes() -> None:
    rng = np.random.default_rng(8)
    version = priors_version("main", 0, (ActiveBraid("x", "micro", "a", 30, Rule(), Patch()),))
    for _ in range(100):
        theta1 = float(rng.uniform(0, 1))
        assert applied(version, "a", random_bins(rng), theta1, 5) == (theta1, 1.0, 1)
        theta, phi = float(rng.uniform(-0.12, 0.12)), float(rng.uniform(0.94, 1.06))
        assert attenuate(theta, phi, 1.0) == (theta, phi)
        one, two = rng.uniform(0.01, 1, 2)
        assert attenuate(*attenuate(theta, phi, one), two) == pytest.approx(attenuate(theta, phi, one * two), abs=1e-14)


@pytest.mark.parametrize("op", ["UNION", "INTERSECT"])
def test_order_of_parents_does_not_matter(op: str) -> None:
    rng = np.random.default_rng(9)
    parents = [ActiveBraid(f"p{k}", "micro", "a", 30, Rule(), random_patch(rng, 0.05)) for k in range(5)]
    weights = rng.uniform(0.01, 1, 5)
    seen = set()
    for _ in range(20):
        order = rng.permutation(5)
        meta = ActiveBraid(
            "m", "meta", "a", 30, Rule(), Patch(), tuple(f"p{k}" for k in order), op=op,
            weights=tuple(float(weights[k]) for k in order) if op == "UNION" else (),
        )  # fmt: skip
        seen.add(applied(priors_version("main", 0, (*parents, meta)), "a", random_bins(rng), 0.4, 5))
    assert len(seen) == 1
