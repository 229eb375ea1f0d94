"""Beliefs about one coin: what they may say, how they are read, and that they act on windows of that coin alone."""

from dataclasses import replace

import numpy as np
import pytest
from random_priors import DETECTORS, random_bins, random_version

from lotus.errors import BeliefError
from lotus.learning.axes import axes
from lotus.manifest import Asset, LearningDefaults, Manifest
from lotus.priors.asset_context import (
    ASSET,
    asset_bins,
    check_with_asset,
    describe_with,
    is_about_asset,
    vocabulary_of,
    words_of,
)
from lotus.priors.compiled import apply_priors, caps_of, compile_priors
from lotus.priors.trace import trace_priors
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_version
from lotus.priors.vocabulary import DEFAULT, NULL_BIN, rule_counts

CAPS = caps_of(Manifest().weave)
ON = LearningDefaults(asset_context=True)
ON_ETH = Rule.of(Literal(ASSET, 1, 1))
SEVEN = tuple(Asset(f"A{k}", 2) for k in range(7))


def test_coins_are_context_only_where_they_are_switched_on_and_several() -> None:
    assert vocabulary_of(Manifest()) is DEFAULT
    assert vocabulary_of(Manifest(learning=ON, universe=(Asset("BTC", 5),))) is DEFAULT
    assert vocabulary_of(Manifest(learning=ON)).features[:ASSET] == DEFAULT.features
    assert vocabulary_of(Manifest(learning=ON)).features[ASSET].labels == ("BTC", "ETH", "SOL")
    assert vocabulary_of(Manifest(learning=ON, universe=SEVEN)).features[ASSET].bins == 5


def test_the_switch_is_in_a_name_only_where_it_is_on() -> None:
    assert "asset_context" not in repr(LearningDefaults())
    assert Manifest(learning=replace(LearningDefaults(), asset_context=False)).version == Manifest().version
    assert Manifest(learning=ON).version != Manifest().version


def test_a_home_of_coins_pays_for_more_rules() -> None:
    words = words_of(Manifest().universe)
    one, two, three = rule_counts()
    assert rule_counts(words) == (one + 3, two + 3 * one, three + 3 * two)
    space = axes(3, words)
    assert space.n_rules == sum(rule_counts(words))
    assert space.rule(space.number(ON_ETH)) == ON_ETH
    assert np.exp(space.price[2]) == pytest.approx(two + 3 * one)


def test_a_rule_is_read_with_the_names_of_coins() -> None:
    both = Rule.of(Literal(0, 3, 4), Literal(ASSET, 1, 1))
    assert describe_with(both, words_of(Manifest().universe)) == "vol >= 3 and on ETH"
    assert describe_with(both) == "vol >= 3 and on asset group 1"
    assert describe_with(ON_ETH, words_of(SEVEN)) == "on the second fifth by liquidity"
    assert describe_with(Rule()) == "always"
    assert is_about_asset(both)
    assert not is_about_asset(Rule.of(Literal(0, 3, 4)))


def test_only_one_group_of_coins_may_be_named() -> None:
    assert check_with_asset(ON_ETH) == ON_ETH
    for wrong in (Literal(ASSET, 0, 1), Literal(ASSET, 5, 5), Literal(ASSET + 1, 0, 0), Literal(0, 1, 3)):
        with pytest.raises(BeliefError, match="literal"):
            check_with_asset(Rule.of(wrong))


def test_the_bin_of_a_window_follows_from_its_coin() -> None:
    names = np.array(["ETH", "DOGE", "BTC"], dtype=object)
    assert asset_bins(names, {"BTC": 0, "ETH": 1}).tolist() == [1, NULL_BIN, 0]


def test_a_belief_about_a_coin_fires_on_that_coin_alone_and_the_trace_says_so() -> None:
    braid = ActiveBraid("x", "micro", "a", 30, ON_ETH, Patch(-0.1, 1.05))
    version = priors_version("main", 0, (braid,))
    compiled, words = compile_priors(version, DETECTORS), words_of(Manifest().universe)
    rng = np.random.default_rng(3)
    for group in (0, 1, 2, NULL_BIN):
        bins = random_bins(rng)
        got = apply_priors(compiled.braids, compiled.first, compiled.count, 0, 0, bins, 0.4, 5, CAPS, group)
        trace = trace_priors(version, "a", bins.tolist(), 0.4, 5, CAPS, group, words)
        assert got == (trace.theta2, trace.phi, trace.fired)
        assert trace.fired == (group == 1)
        assert [step.note for step in trace.steps] == ["on ETH"] * (group == 1)
    plain = apply_priors(compiled.braids, compiled.first, compiled.count, 0, 0, random_bins(rng), 0.4, 5, CAPS)
    assert plain == (0.4, 1.0, 0)


def test_other_beliefs_act_the_same_on_every_coin() -> None:
    rng = np.random.default_rng(4)
    for _ in range(30):
        compiled = compile_priors(random_version(rng), DETECTORS)
        arrays = compiled.braids, compiled.first, compiled.count, 0, int(rng.integers(2)), random_bins(rng), 0.4, 300
        found = {apply_priors(*arrays, CAPS, group) for group in (0, 3, NULL_BIN)}
        assert found == {apply_priors(*arrays, CAPS)}
