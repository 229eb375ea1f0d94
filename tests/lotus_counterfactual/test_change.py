"""A change as a value: one form for one question, and what it makes of settings, beliefs and tables."""

from dataclasses import replace

import pytest

from lotus.counterfactual.change import WhatIfChange, manifest_under, tables_under, versions_under
from lotus.detectors.daily.make import day_tables
from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.signal_spec import DIVERSITY, PERSON
from lotus.errors import BeliefError, ConfigError
from lotus.manifest import Manifest
from lotus.priors.types import NEVER_MS, ActiveBraid, Patch, Rule, priors_0, priors_version

DETECTORS = shipped_detectors()
BLANK = day_tables("2026-01-12", [], Manifest(), Manifest().universe, DETECTORS)
MICRO = ActiveBraid("a", "micro", "micro_drift", 30, Rule(), Patch(-0.1), effective_from_ms=7, expires_at_ms=9)
OTHER = replace(MICRO, braid_id="b")
META = ActiveBraid("c", "meta", "micro_drift", 30, Rule(), Patch(), ("a", "b"), op="INTERSECT")
CHAIN = [priors_0("main"), priors_version("main", 5, (MICRO, OTHER, META))]


def test_settings_are_checked_and_named() -> None:
    change = WhatIfChange(settings=(("score.epsilon", 0.05), ("weave.trust_caps", [0.5, 1.0])))
    manifest = manifest_under(change, Manifest())
    assert (manifest.score.epsilon, manifest.weave.trust_caps) == (0.05, (0.5, 1.0))
    assert change.only_on_tape == ""
    assert "score.epsilon = 0.05" in change.words
    assert "latency_ms" in WhatIfChange(settings=(("outcomes.latency_ms", 500),)).only_on_tape
    for key in ("score.seed", "kernel.window_ms", "epsilon", "learning.alpha"):
        with pytest.raises(ConfigError, match=f"--set {key}"):
            manifest_under(WhatIfChange(settings=((key, 1),)), Manifest())
    with pytest.raises(ConfigError, match="nothing is changed"):
        WhatIfChange()


def test_a_braid_takes_its_compositions_along_and_a_version_is_taken_as_always_in_force() -> None:
    without = versions_under(WhatIfChange(braids=("a",)), CHAIN, None)
    assert [[b.braid_id for b in v.braids] for v in without] == [[], ["b"]]
    assert [v.effective_from_ms for v in without] == [0, 5]
    assert all(not v.braids for v in versions_under(WhatIfChange(priors="none"), CHAIN, None))
    named = versions_under(WhatIfChange(priors="x"), CHAIN, CHAIN[1])
    assert [len(v.braids) for v in named] == [3, 3]
    assert {(b.effective_from_ms, b.expires_at_ms) for v in named for b in v.braids} == {(0, NEVER_MS)}
    with pytest.raises(BeliefError, match="branch other"):
        versions_under(WhatIfChange(priors="x"), CHAIN, priors_version("other", 5))


def test_curators_are_left_out_of_the_tables() -> None:
    count, coins = len(DETECTORS), len(Manifest().universe)
    nudges = ({"ann": 0.02, "curator:mutation": -0.1}, *({} for _ in range(count - 1)))
    vetoes = ((DIVERSITY | PERSON,) * coins, *(() for _ in range(count - 1)))
    tables = replace(BLANK, curator_nudge=nudges, curator_veto=vetoes, adv_fragility=(0.5,) * count,
                     leakage_veto=(True,) * count)  # fmt: skip
    people = tables_under(WhatIfChange(curators=("people",)), tables)
    assert people.curator_nudge[0] == {"curator:mutation": -0.1}
    assert people.curator_veto[0] == (DIVERSITY,) * coins
    rest = WhatIfChange(curators=("curator:adversarial", "curator:diversity", "curator:leakage", "curator:mutation"))
    bare = tables_under(rest, people)
    assert bare.curator_nudge == bare.curator_veto == ()
    assert not any(bare.adv_fragility)
    assert not any(bare.leakage_veto)
