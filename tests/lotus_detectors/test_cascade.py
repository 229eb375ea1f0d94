"""The steps of a window's logit sum to the number that was scored, whatever acted, clipped or held it."""

import numpy as np
import pytest

from lotus.detectors.cascade import logit_steps
from lotus.detectors.explain import explain_event
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.detectors.stage_gate import StageGate, gated
from lotus.priors.compiled import caps_of
from lotus.priors.trace import Trace
from lotus.priors.types import EXPLORATION, ActiveBraid, Knob, Literal, Patch, Rule, priors_version
from lotus.priors.vocabulary import FEATURE_NAMES

DETECTORS = {d.detector_id: d for d in shipped_detectors()}


@pytest.fixture(scope="module")
def beliefs():
    """Braids of every level with gates beyond the caps, a composition, and a field that raises a floor."""
    rule, braids = Rule.of(Literal(FEATURE_NAMES.index("mx"), 2, 4)), []
    for k, (name, spec) in enumerate(DETECTORS.items()):
        for n, sign in enumerate((-1, 1)):
            patch = Patch(sign * 0.12, 1.06**sign, gate=-sign * 1.9)
            own = rule if n else Rule()
            braids.append(ActiveBraid(f"{name}{n}", "micro", name, spec.horizon_s, own, patch, level=(k + n) % 4))
    parents = ("micro_drift0", "micro_drift1")
    braids.append(ActiveBraid("m", "meta", "micro_drift", 30, Rule(), Patch(), parents, op="UNION", weights=(0.3, 0.5)))
    raised = Patch(knobs=(Knob(EXPLORATION, 4.0),))
    braids.append(ActiveBraid("f", "field", "basis_shock", 30, rule, raised, scope="cross"))
    return priors_version("main", 0, tuple(braids))


@pytest.mark.parametrize("stage", [StageGate.OPEN, StageGate.FLOOR])
def test_steps_sum_to_the_scored_logit(chain, beliefs, stage: StageGate) -> None:
    m, rng = chain.manifest, np.random.default_rng(5)
    tables = gated(chain.tables[12], dict.fromkeys(DETECTORS, stage))
    events = score_windows(chain.windows[12], m, m.universe, tables, [beliefs], "main")
    kinds = set()
    for k in rng.integers(0, len(events["s"]), 300):
        event = {name: values[k] for name, values in events.items()}
        found = explain_event(event, tables, beliefs, m, DETECTORS[event["detector_id"]])
        steps = logit_steps(event, found.trace, beliefs, m, caps_of(m.weave), found.is_floored)
        assert sum(step.change for step in steps) == pytest.approx(event["u"], abs=1e-9)
        assert steps[-1].logit == pytest.approx(event["u"], abs=1e-9)
        kinds |= {(step.kind, step.name) for step in steps if step.kind in ("clip", "floor")} | {s.kind for s in steps}
    if stage is StageGate.FLOOR:
        assert kinds == {"score", "floor", ("floor", "stage of life")}
    else:
        assert {"score", "braid", "gate", "clip", ("floor", "floor and ceiling")} <= kinds


def test_a_step_at_the_threshold_has_no_logit(chain, beliefs) -> None:
    event = {name: values[0] for name, values in chain.events[12].items()} | {"temperature": 0.0}
    assert logit_steps(event, Trace((), 0.0, 0.0, 1.0, 0), beliefs, chain.manifest, caps_of(chain.manifest.weave)) == ()
