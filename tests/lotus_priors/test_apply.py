"""Priors applied: an independent oracle, the trace, the caps and the laws of the algebra."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lotus.errors import BeliefError
from lotus.manifest import Manifest
from lotus.priors.compiled import apply_priors, attenuate, cap_tilt, caps_of, compile_priors, version_at
from lotus.priors.trace import trace_priors
from lotus.priors.types import (
    ActiveBraid,
    FieldCaps,
    Patch,
    PriorsVersion,
    Rule,
    from_json,
    in_force,
    priors_0,
    priors_version,
    to_json,
)
from lotus.priors.vocabulary import N_BINS, NULL_BIN, literals_of

CAPS = caps_of(Manifest().weave)
DETECTORS = ("a", "b")
OPS = ("RULE", "UNION", "INTERSECT", "EXCEPT", "ATTENUATE", "LIFT_ONLY", "PENALTY_ONLY")


def random_rule(rng: np.random.Generator) -> Rule:
    """A rule of one to three random literals."""
    features = rng.choice(12, rng.integers(1, 4), replace=False)
    return Rule.of(*(literals_of(int(f))[rng.integers(len(literals_of(int(f))))] for f in features))


def random_patch(rng: np.random.Generator, sd: float) -> Patch:
    """A patch of normal size."""
    return Patch(float(rng.normal(0, sd)), float(np.exp(rng.normal(0, sd))))


def random_bins(rng: np.random.Generator) -> np.ndarray:
    """Twelve bins, a tenth of them null."""
    bins = np.array([rng.integers(n) for n in N_BINS], dtype=np.uint8)
    bins[rng.random(12) < 0.1] = NULL_BIN
    return bins


def random_version(rng: np.random.Generator, micros: int = 8, metas: int = 3, start: int = 0) -> PriorsVersion:
    """A version with micro braids on both detectors, meta braids of every operator and sometimes a field braid."""
    made: list[ActiveBraid] = []
    for d in DETECTORS:
        own = []
        for k in range(micros):
            patch = Patch(float(rng.uniform(-0.12, 0.12)), float(rng.uniform(1 / 1.06, 1.06)))
            span = (int(rng.integers(0, 500)), int(rng.integers(500, 1000)))
            own.append(ActiveBraid(f"{d}{k}", "micro", d, 30, random_rule(rng), patch, (), *span))
        made += own
        for k in range(metas):
            op = OPS[rng.integers(len(OPS))]
            n = 1 if op in OPS[4:] else 2
            parents = tuple(own[i].braid_id for i in rng.choice(micros, n, replace=False))
            weights = tuple(float(w) for w in rng.uniform(0.01, 1.0, n)) if op == "UNION" else ()
            made.append(
                ActiveBraid(
                    f"{d}m{k}", "meta", d, 30, random_rule(rng), Patch(0.05, 0.97), parents,
                    op=op, weights=weights, strength=float(rng.uniform(0.1, 1.0)),
                )
            )  # fmt: skip
        if rng.random() < 0.5:
            caps = FieldCaps(float(rng.uniform(0.95, 1.05)), float(rng.uniform(0.95, 1.05)))
            made.append(ActiveBraid(f"{d}f", "field", d, 30, Rule(), Patch(), (), caps=caps))
    return priors_version("main", start, tuple(made))


def applied(version, detector, bins, theta1, now):
    compiled = compile_priors(version, DETECTORS)
    return apply_priors(
        compiled.braids, compiled.first, compiled.count, 0, DETECTORS.index(detector), bins, theta1, now, CAPS
    )


def oracle(version, detector, bins, theta1, now):
    """`docs/concepts/weave.md` written down once more, with logarithms instead of products."""
    live = [b for b in version.braids if b.detector_id == detector and b.effective_from_ms <= now < b.expires_at_ms]
    rule = {
        b.braid_id: b for b in live if b.op == "RULE" and all(x.holds(int(bins[x.feature])) for x in b.rule.literals)
    }
    fired, effects = dict(rule), {k: (b.patch.theta_delta, math.log(b.patch.phi_mult)) for k, b in rule.items()}
    for b in live:
        hit = [p for p in b.parents if p in rule]
        inside = {"UNION": bool(hit), "EXCEPT": hit == list(b.parents[:1])}.get(b.op, len(hit) == len(b.parents))
        if b.op == "RULE" or not inside:
            continue
        fired[b.braid_id] = b
        parts = [np.array(effects[p]) for p in hit]
        if b.op == "UNION":
            w = np.array([b.weights[b.parents.index(p)] for p in hit])
            effects[b.braid_id] = tuple(np.average(parts, axis=0, weights=w))
        elif b.op in ("INTERSECT", "EXCEPT"):
            effects[b.braid_id] = tuple(np.sum(parts, axis=0))
        else:
            scale = {"ATTENUATE": (b.strength, b.strength), "LIFT_ONLY": (0, 1), "PENALTY_ONLY": (1, 0)}[b.op]
            effects[b.braid_id] = (parts[0][0] * scale[0], parts[0][1] * scale[1])
    gone = {p for b in fired.values() if b.braid_type == "meta" for p in b.parents}
    acting = [k for k, b in fired.items() if k not in gone and b.braid_type != "field"]
    mask = sum(
        1 << k for k, b in enumerate(b for b in version.braids if b.detector_id == detector) if b.braid_id in fired
    )
    if not acting:
        return theta1, 1.0, mask
    fields = [b.caps for b in fired.values() if b.braid_type == "field"]
    low = 0.05 * math.prod(c.theta_min_mult for c in fields)
    top = 1.0 + 0.15 * math.prod(c.phi_max_mult for c in fields)
    delta = min(max(sum(effects[k][0] for k in acting), -0.25), 0.25)
    phi = min(max(math.exp(sum(effects[k][1] for k in acting)), 1 / top), top)
    theta = max(min(theta1, low), theta1 + delta) if delta < 0 else max(theta1, min(0.9, theta1 + delta))
    return theta, phi, mask


def test_kernel_equals_the_oracle_and_the_trace_equals_the_kernel_bit_for_bit() -> None:
    rng = np.random.default_rng(11)
    fired_ops: set[str] = set()
    for _ in range(60):
        version = random_version(rng)
        compiled = compile_priors(version, DETECTORS)
        for _ in range(40):
            d = int(rng.integers(2))
            bins, theta1, now = random_bins(rng), float(rng.uniform(0, 0.95)), int(rng.integers(0, 1100))
            got = apply_priors(compiled.braids, compiled.first, compiled.count, 0, d, bins, theta1, now, CAPS)
            want = oracle(version, DETECTORS[d], bins, theta1, now)
            assert got[2] == want[2]
            assert got[:2] == pytest.approx(want[:2], abs=1e-13)
            trace = trace_priors(version, DETECTORS[d], bins.tolist(), theta1, now, CAPS)
            assert (trace.theta2, trace.phi, trace.fired) == got
            fired_ops |= {s.kind for s in trace.steps} | {s.note.split()[0] for s in trace.steps}
    assert {"braid", "replaced", "field", "clip", "UNION", "INTERSECT", "EXCEPT", "ATTENUATE"} <= fired_ops


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


def test_versions_round_trip_and_are_looked_up_by_time() -> None:
    rng = np.random.default_rng(4)
    versions = [priors_0("main"), random_version(rng, start=100), random_version(rng, start=300)]
    for version in versions:
        assert from_json(to_json(version)) == version
    compiled = compile_priors(versions, DETECTORS)
    for now in (0, 99, 100, 299, 300, 10**12):
        assert compiled.priors_vers[version_at(compiled.effective_from_ms, now)] == in_force(versions, now).priors_ver
    with pytest.raises(BeliefError):
        from_json(to_json(versions[1]).replace(b'"phi_mult":', b'"phi_mult":1', 1))
    with pytest.raises(BeliefError):
        in_force(versions[1:], 99)


def test_refused_versions() -> None:
    many = tuple(ActiveBraid(f"{k}", "micro", "a", 30, Rule(), Patch()) for k in range(64))
    with pytest.raises(BeliefError):
        compile_priors(priors_version("main", 0, many), DETECTORS)
    orphan = ActiveBraid("m", "meta", "a", 30, Rule(), Patch(), ("0", "gone"), op="INTERSECT")
    with pytest.raises(BeliefError):
        compile_priors(priors_version("main", 0, (many[0], orphan)), DETECTORS)
    with pytest.raises(BeliefError):
        compile_priors(priors_version("main", 0, (replace(many[0], detector_id="zzz"),)), DETECTORS)
    with pytest.raises(BeliefError):
        ActiveBraid("x", "micro", "a", 30, Rule(), Patch(), op="UNION")
