"""Stored windows drawn again: bit for bit under their own inputs, and as a whole scoring would under others."""

from dataclasses import replace

import numpy as np

from lotus.counterfactual.change import WhatIfChange, manifest_under, versions_under
from lotus.counterfactual.masked_evidence import evidence_without, of_side
from lotus.counterfactual.rescored import Scoring, rescored
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.scorer import score_windows
from lotus.experts.fusion import default_experts
from lotus.priors.types import EXPLORATION, ActiveBraid, Knob, Literal, Patch, Rule, priors_0, priors_version
from lotus.priors.vocabulary import FEATURE_NAMES
from lotus_store.columns import coded

DETECTORS = shipped_detectors()
RULE = Rule.of(Literal(FEATURE_NAMES.index("mx"), 2, 4))
BOOST = ActiveBraid("boost", "micro", "micro_drift", 30, Rule(), Patch(-0.1, 1.05, (), 1.2), level=2)
DAMP = ActiveBraid("damp", "micro", "basis_shock", 30, RULE, Patch(0.12, 0.95))
PRIORS = [priors_0("main"), priors_version("main", 1, (BOOST, DAMP))]
DAY = 12


def asked(chain, change: WhatIfChange):
    m = chain.manifest
    events = score_windows(chain.windows[DAY], m, m.universe, chain.tables[DAY], PRIORS, "main")
    codes = {name: coded(events[name]) for name in ("detector_id", "asset", "tables_ver", "priors_ver")}
    return events, rescored(Scoring(m, DETECTORS, change), events, codes, [chain.tables[DAY]], PRIORS)


def scored_under(chain, change: WhatIfChange):
    m = manifest_under(change, chain.manifest)
    priors = versions_under(change, PRIORS, None)
    return score_windows(chain.windows[DAY], m, m.universe, chain.tables[DAY], priors, "main")["pi"]


def test_a_change_gives_what_the_whole_scoring_gives(chain) -> None:
    for change in (
        WhatIfChange(braids=("boost",)),
        WhatIfChange(priors="none"),
        WhatIfChange(settings=(("score.epsilon", 0.05), ("weave.trust_floor", 0.1))),
        WhatIfChange(settings=(("score.gamma_mx", 0.3), ("score.tau_kairos", 0.4), ("score.tau_uncert", 0.2))),
    ):
        events, found = asked(chain, change)
        assert found.unlike == 0
        assert found.pi.tobytes() == scored_under(chain, change).tobytes()
        assert np.any(found.pi != events["pi"])


def test_windows_of_unknown_tables_stay_as_they_are(chain) -> None:
    m = chain.manifest
    events = score_windows(chain.windows[DAY], m, m.universe, chain.tables[DAY], PRIORS, "main")
    codes = {name: coded(events[name]) for name in ("detector_id", "asset", "tables_ver", "priors_ver")}
    change = WhatIfChange(priors="none")
    found = rescored(Scoring(m, DETECTORS, change), events, codes, [], PRIORS)
    assert found.unlike == len(found.pi)
    assert found.pi.tobytes() == events["pi"].tobytes()
    other = dict(events) | {"pi": np.where(events["pi"] > 0.0, 0.3, 0.0)}
    kept = rescored(Scoring(m, DETECTORS, change), other, codes, [chain.tables[DAY]], PRIORS)
    assert kept.unlike > 0
    assert np.all(kept.pi[events["veto"] == 0] == 0.3)


def test_masking_an_expert_is_the_fusion_without_its_weight() -> None:
    experts = default_experts()
    z = np.random.default_rng(3).normal(0.0, 1.0, (50, len(experts.names)))
    z[0] = np.nan
    first = experts.names[0]
    voices = dict(experts.fusion.voices) | {first: replace(experts.fusion.voices[first], status="off")}
    silenced = replace(experts, fusion=replace(experts.fusion, voices=voices))
    masked = evidence_without(z, experts, (first,))
    assert np.isnan(masked[0])
    assert np.array_equal(masked, evidence_without(z, silenced, ()), equal_nan=True)
    assert np.array_equal(of_side(np.array([0.7, 0.7]), np.array([1.0, -1.0])), np.array([0.7, 1.0 - 0.7]))


def test_a_floor_of_an_act_draws_at_it_and_bounds_field_braids(chain) -> None:
    m, tables = chain.manifest, chain.tables[DAY]
    explore = Patch(knobs=(Knob(EXPLORATION, 7.0),))
    field = ActiveBraid("field", "field", "micro_drift", 30, RULE, explore, scope="cross")
    priors = [priors_0("main"), priors_version("main", 1, (field,))]
    floors = tuple(0.04 if name in ("micro_drift", "basis_shock") else 0.0 for name in tables.detector_ids)

    def scored(these):
        return score_windows(chain.windows[DAY], m, m.universe, these, priors, "main")

    before, after = scored(tables), scored(replace(tables, epsilon=floors))
    name, eligible, inside = before["detector_id"], before["veto"] == 0, before["fired"] != 0
    of = {d: eligible & (name == d) for d in ("micro_drift", "basis_shock")}
    assert after["pi"][of["basis_shock"]].min() == 0.04
    assert after["pi"][of["micro_drift"] & ~inside].min() == 0.04
    assert after["pi"][of["micro_drift"] & inside].min() == 0.1
    assert before["pi"][of["micro_drift"] & inside].min() == 0.14
    others = ~np.isin(name, list(of))
    assert after["pi"][others].tobytes() == before["pi"][others].tobytes()
    assert np.all(after["pi"][eligible] >= np.minimum(before["pi"], 0.1)[eligible])
