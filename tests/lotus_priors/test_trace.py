"""The trace of a patch equals the kernel bit for bit, and both the oracle."""

import math

import numpy as np
import pytest
from random_priors import DETECTORS, random_bins, random_version

from lotus.manifest import Manifest
from lotus.priors.compiled import apply_priors, caps_of, compile_priors
from lotus.priors.trace import trace_priors

CAPS = caps_of(Manifest().weave)


def oracle(version, detector, bins, theta1, now):
    """The page `weave.md` written down once more, with logarithms instead of products."""
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
