"""Explanation: every stored number is found again bit for bit, and a tampered one is not."""

from dataclasses import replace

import numpy as np
import pytest

from lotus.detectors.explain import explain_event
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.errors import BeliefError, SchemaError
from lotus.priors.types import EXPLORATION, ActiveBraid, Knob, Literal, Patch, Rule, priors_0, priors_version
from lotus.priors.vocabulary import FEATURE_NAMES

DETECTORS = {d.detector_id: d for d in shipped_detectors()}


@pytest.fixture(scope="module")
def scored(chain):
    """Day 12 under priors with additive braids, a meta braid and rules that clip."""
    rule = Rule.of(Literal(FEATURE_NAMES.index("mx"), 2, 4))
    braids = []
    for name, spec in DETECTORS.items():
        one = ActiveBraid(f"{name}1", "micro", name, spec.horizon_s, rule, Patch(-0.12, 1.06))
        two = ActiveBraid(f"{name}2", "micro", name, spec.horizon_s, Rule(), Patch(-0.11, 1.05))
        braids += [one, two]
    parents = ("micro_drift1", "micro_drift2")
    meta = ActiveBraid("m", "meta", "micro_drift", 30, Rule(), Patch(), parents, op="UNION", weights=(0.3, 0.5))
    priors = priors_version("main", 0, (*braids, meta))
    m = chain.manifest
    return priors, score_windows(chain.windows[12], m, m.universe, chain.tables[12], [priors], "main")


def row_of(events, k):
    return {name: values[k] for name, values in events.items()}


def test_every_number_is_found_again(chain, scored) -> None:
    priors, events = scored
    rng = np.random.default_rng(1)
    published = np.flatnonzero(events["published"])
    rows = [*rng.integers(0, len(events["s"]), 150), *published[:50]]
    kinds, notes = set(), ""
    for k in rows:
        event = row_of(events, k)
        found = explain_event(event, chain.tables[12], priors, chain.manifest, DETECTORS[event["detector_id"]])
        assert found.exact, [s for s in found.steps if not s.exact]
        assert bool(found.vetoes) == (event["veto"] != 0)
        kinds |= {s.kind for s in found.trace.steps}
        notes += " ".join(s.text for s in found.steps)
    assert {"braid", "replaced"} <= kinds
    assert "tilt capped" in notes or "braids" in notes
    first = explain_event(row_of(chain.events[0], 5), chain.tables[0], priors_0("main"), chain.manifest,
                          DETECTORS[chain.events[0]["detector_id"][5]])  # fmt: skip
    assert first.exact
    assert "no history" in " ".join(s.text for s in first.steps)


@pytest.fixture(scope="module")
def gated(chain, scored):
    """Day 12 under the same braids at the levels 0 to 3, each with a gate."""
    plain, _ = scored
    levels = [0 if b.braid_type == "meta" else k % 4 for k, b in enumerate(plain.braids)]
    braids = [
        replace(b, level=level, patch=replace(b.patch, gate=0.9 * (-1) ** k))
        for k, (b, level) in enumerate(zip(plain.braids, levels, strict=True))
    ]
    priors = priors_version("main", 0, tuple(braids))
    m = chain.manifest
    return priors, score_windows(chain.windows[12], m, m.universe, chain.tables[12], [priors], "main")


def test_every_gate_is_found_again(chain, gated) -> None:
    priors, events = gated
    rng, kinds = np.random.default_rng(3), set()
    for k in rng.integers(0, len(events["s"]), 200):
        event = row_of(events, k)
        found = explain_event(event, chain.tables[12], priors, chain.manifest, DETECTORS[event["detector_id"]])
        assert found.exact, [s for s in found.steps if not s.exact]
        steps = [s for s in found.steps if s.section == "gate"]
        assert bool(steps) == (found.trace.level > 0)
        kinds |= {s.text.split(":")[0] for s in steps if s.stored is None}
        if event["gate"] != 0.0:
            event["gate"] = np.nextafter(event["gate"], 9.0)
            wrong = explain_event(event, chain.tables[12], priors, chain.manifest, DETECTORS[event["detector_id"]])
            assert not wrong.exact
    assert {"gate", "highest level of trust that fired"} <= kinds
    untrusted = dict(row_of(events, 0)) | {"gate": 0.25, "priors_ver": priors_0("main").priors_ver}
    stray = explain_event(untrusted, chain.tables[12], priors_0("main"), chain.manifest,
                          DETECTORS[untrusted["detector_id"]])  # fmt: skip
    assert [s.exact for s in stray.steps if s.name == "gate"] == [False]


@pytest.mark.parametrize("name", ["pi", "theta2", "ln_sigma_tilde", "draw", "fired", "kr_phi", "u0", "b_mx"])
def test_a_tampered_number_is_seen(chain, scored, name: str) -> None:
    priors, events = scored
    k = int(np.flatnonzero(events["published"])[3])
    event = row_of(events, k)
    event[name] = event[name] ^ np.uint64(1) if name == "fired" else np.nextafter(event[name], 9.0)
    if name == "b_mx":
        event[name] = 0 if int(row_of(events, k)[name]) else 4
    found = explain_event(event, chain.tables[12], priors, chain.manifest, DETECTORS[event["detector_id"]])
    assert not found.exact


def test_other_tables_or_priors_are_refused(chain, scored) -> None:
    priors, events = scored
    event = row_of(events, 0)
    detector = DETECTORS[event["detector_id"]]
    with pytest.raises(SchemaError):
        explain_event(event, chain.tables[11], priors, chain.manifest, detector)
    with pytest.raises(BeliefError):
        explain_event(event, chain.tables[12], priors_0("main"), chain.manifest, detector)


def test_a_field_braid_moves_the_floor_of_the_propensity_and_nothing_else(chain) -> None:
    m, knob = chain.manifest, Patch(knobs=(Knob(EXPLORATION, 1.05),))
    fields = [
        ActiveBraid(f"f{name}", "field", name, spec.horizon_s, Rule(), knob, scope="cross")
        for name, spec in DETECTORS.items()
    ]
    moved = priors_version("main", 0, tuple(fields))
    plain, other = (
        score_windows(chain.windows[12], m, m.universe, chain.tables[12], [v], "main")
        for v in (priors_0("main"), moved)
    )
    for name in ("ln_sigma_tilde", "ln_sigma_0", "theta2", "phi_mult", "u0", "draw", "veto"):
        assert np.array_equal(plain[name], other[name], equal_nan=True), name
    floor = m.score.epsilon * 1.05
    eligible = plain["eligible"]
    assert (other["pi"][eligible] == np.clip(plain["pi"][eligible], floor, 1.0 - floor)).all()
    assert (other["pi"] != plain["pi"]).any()
    for k in np.random.default_rng(2).integers(0, len(other["s"]), 40):
        event = row_of(other, k)
        found = explain_event(event, chain.tables[12], moved, m, DETECTORS[event["detector_id"]])
        assert found.exact, [s for s in found.steps if not s.exact]
        assert any(s.name == "epsilon" for s in found.steps)
