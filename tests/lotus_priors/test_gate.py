"""Gates of trusted braids: kernels, trace and an oracle agree, caps hold, and without a level nothing is read."""

import math
from dataclasses import replace

import numpy as np
import pytest
from random_priors import DETECTORS, random_bins, random_version, trusted

from lotus.errors import ConfigError
from lotus.manifest import Manifest
from lotus.priors.compiled import CAP_TILT, CAP_TRUST_FLOOR, apply_priors, caps_of, compile_priors
from lotus.priors.gate import cap_gate, gate_of, level_of
from lotus.priors.trace import composed_gate, trace_priors
from lotus.priors.types import MAX_GATE, ActiveBraid, Patch, PriorsVersion, Rule, priors_version

WEAVE = Manifest().weave
CAPS = caps_of(WEAVE)


def oracle(version: PriorsVersion, detector: str, fired: int) -> tuple[int, float]:
    """The law written down once more: level, and gates of the braids that act."""
    own = [b for b in version.braids if b.detector_id == detector]
    hit = {b.braid_id: b for k, b in enumerate(own) if fired >> k & 1}
    level = max((b.level for b in hit.values()), default=0)
    gone = {p for b in hit.values() if b.braid_type == "meta" for p in b.parents}
    total = 0.0
    for b in hit.values():
        if b.braid_id in gone or b.braid_type == "field" or not level:
            continue
        parents = [hit[p] for p in b.parents if p in hit]
        gates = [p.patch.gate if p.level else 0.0 for p in parents]
        if b.op == "RULE":
            total += b.patch.gate if b.level else 0.0
        elif b.op == "UNION":
            total += float(np.average(gates, weights=[b.weights[b.parents.index(p.braid_id)] for p in parents]))
        elif b.op in ("INTERSECT", "EXCEPT"):
            total += math.fsum(gates)
        else:
            total += {"ATTENUATE": b.strength * gates[0], "LIFT_ONLY": max(gates[0], 0.0)}.get(b.op, min(gates[0], 0.0))
    return level, min(max(total, -MAX_GATE), MAX_GATE)


def test_kernels_equal_the_trace_bit_for_bit_and_both_the_oracle() -> None:
    rng = np.random.default_rng(23)
    seen: set[str] = set()
    levels: set[int] = set()
    for n in range(60):
        version = trusted(rng, random_version(rng), share=n % 3 / 2)
        priors = compile_priors(version, DETECTORS)
        arrays = priors.braids, priors.first, priors.count
        for _ in range(40):
            d, bins = int(rng.integers(2)), random_bins(rng)
            theta1, now = float(rng.uniform(0, 0.95)), int(rng.integers(0, 1100))
            theta, phi, fired = apply_priors(*arrays, 0, d, bins, theta1, now, CAPS)
            trace = trace_priors(version, DETECTORS[d], bins.tolist(), theta1, now, CAPS)
            level, gate = level_of(*arrays, 0, d, fired), gate_of(*arrays, 0, d, fired)
            assert (trace.theta2, trace.phi, trace.fired, trace.level) == (theta, phi, fired, level)
            assert trace.gate == (gate if level else 0.0)
            assert (level, trace.gate) == (oracle(version, DETECTORS[d], fired)[0], pytest.approx(oracle(
                version, DETECTORS[d], fired)[1], abs=1e-13))  # fmt: skip
            assert sum(s.gate for s in trace.steps) == pytest.approx(trace.gate, abs=1e-13)
            assert abs(gate) <= MAX_GATE
            seen |= {s.kind for s in trace.steps if s.gate} | {s.note.split()[0] for s in trace.steps if s.gate}
            levels.add(level)
            tilt = float(rng.uniform(-1, 1))
            held = cap_gate(gate, tilt, level, CAPS) if level else 0.0
            assert abs(tilt + held) <= min(3.0, WEAVE.trust_caps[level] + 0.5) + 1e-12
    assert levels == {0, 1, 2, 3}
    assert {"gate", "clip", "UNION", "INTERSECT", "EXCEPT", "ATTENUATE", "LIFT_ONLY", "PENALTY_ONLY"} <= seen


def test_a_gate_does_not_touch_theta_phi_and_which_braids_fire() -> None:
    rng = np.random.default_rng(29)
    for _ in range(20):
        plain = random_version(rng)
        both = [compile_priors(v, DETECTORS) for v in (plain, trusted(rng, plain, 1.0))]
        for _ in range(20):
            bins, theta1 = random_bins(rng), float(rng.uniform(0, 0.95))
            one, two = (apply_priors(p.braids, p.first, p.count, 0, 1, bins, theta1, 300, CAPS) for p in both)
            assert one == two


def test_without_its_own_level_a_braid_adds_nothing() -> None:
    patch, bins = Patch(0.0, 1.0, (), 1.5), np.zeros(12, np.uint8)
    own = [ActiveBraid(name, "micro", "a", 30, Rule(), patch) for name in "xy"]
    for levels, wanted in (((0, 0), (0, 0.0)), ((0, 1), (1, 1.5)), ((2, 1), (2, MAX_GATE))):
        version = priors_version("main", 0, tuple(replace(b, level=k) for b, k in zip(own, levels, strict=True)))
        trace = trace_priors(version, "a", bins.tolist(), 0.3, 5, CAPS)
        assert (trace.level, trace.gate) == wanted


def test_the_whole_tilt_has_the_cap_of_the_best_level() -> None:
    assert CAPS[CAP_TILT:].tolist() == [1.0, 1.5, 2.5, 3.0, 0.05]
    assert [cap_gate(2.0, 0.8, level, CAPS) for level in (1, 2, 3)] == [1.5 - 0.8, 2.5 - 0.8, 2.0]
    assert cap_gate(-2.0, 0.25, 1, CAPS) == -1.75
    assert CAPS[CAP_TRUST_FLOOR] == 0.05


@pytest.mark.parametrize("wrong", [{"trust_caps": (0.5, 1.0, 2.0, 3.0, 4.0)}, {"trust_caps": (0.5, 2.0, 1.0, 3.0)},
                                   {"trust_caps": (-1.0, 1.0, 2.0, 3.0)}, {"trust_floor": 0.5}])  # fmt: skip
def test_caps_that_are_none_are_refused(wrong: dict) -> None:
    with pytest.raises(ConfigError):
        caps_of(replace(WEAVE, **wrong))


def test_operators_on_gates() -> None:
    assert composed_gate("UNION", [1.0, -0.5], [3.0, 1.0]) == 0.625
    assert composed_gate("INTERSECT", [1.0, -0.5], [0.0, 0.0]) == 0.5
    assert composed_gate("ATTENUATE", [1.5], [1.0], 0.5) == 0.75
    assert [composed_gate(op, [-0.5], [1.0]) for op in ("LIFT_ONLY", "PENALTY_ONLY", "EXCEPT")] == [0.0, -0.5, -0.5]


@pytest.mark.parametrize("few", [(), (0.5,), (0.5, 1.0)])
def test_fewer_caps_leave_what_acts_without_a_level_as_it_is(few: tuple[float, ...]) -> None:
    caps = caps_of(replace(WEAVE, trust_caps=few))
    assert len(caps) == len(caps_of(WEAVE))
    assert list(caps[: CAP_TILT + 1]) == list(caps_of(WEAVE)[: CAP_TILT + 1])
