"""The search over another vocabulary than the default one: numbering, cubes and a night, against brute force."""

import numpy as np
import pytest

from lotus.learning.axes import axes
from lotus.learning.boxes import box_moments
from lotus.learning.cube import accumulate
from lotus.learning.day_cube import baseline_key
from lotus.learning.night import learn_night
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import BIN_COLUMNS, FEATURES, Feature, Vocabulary, rule_counts, rule_mask

READINGS = ("one_sided", "at_least", "range", "single", "at_most")


def vocabulary(n_features: int) -> Vocabulary:
    """Return a vocabulary of so many features with every number of bins and reading."""
    return Vocabulary(
        tuple(Feature(f"x_{i}", 2 + i % 4, "", reading=READINGS[i % len(READINGS)]) for i in range(n_features))
    )


@pytest.mark.parametrize("n_features", [1, 2, 3, 7, 15])
def test_every_rule_of_a_vocabulary_has_its_box(n_features):
    own = vocabulary(n_features)
    space = axes(3, own)
    assert space.n_rules == sum(rule_counts(own))
    rng = np.random.default_rng(n_features)
    bins = np.stack([rng.integers(0, f.bins, 2000) for f in own.features], axis=1).astype(np.uint8)
    bins[rng.random(bins.shape) < 0.1] = 255
    value = rng.normal(size=2000)
    cube = accumulate(bins, np.zeros(2000, dtype=np.int64), value, 1, space.subsets)
    total, _ = box_moments(space.lean(cube), np.ones(1), *space.table)
    for number in rng.integers(0, space.n_rules, 100):
        rule = space.rule(int(number))
        assert space.number(rule) == number
        assert total[number] == pytest.approx(value[rule_mask(rule, bins)].sum(), abs=1e-9)


def test_a_night_over_three_own_features_finds_what_was_planted(worlds, one_look):
    rule = Rule.of(Literal(4, 3, 4))
    own = Vocabulary((Feature("x_flow", 5, ""), FEATURES[4], Feature("x_depth", 5, "", reading="range")))
    scores = worlds.world("plant", seed=31, per_block=500, lessons=((rule, 9.0),))
    for columns in scores.values():
        columns["b_x_flow"], columns["b_x_depth"] = columns["b_flow"], columns["b_depth_slope"]
        for name in set(BIN_COLUMNS) - set(own.bin_columns):
            del columns[name]
    night = learn_night(scores, one_look, vocabulary=own)
    assert [x.rule for x in night.lessons] == [Rule.of(Literal(1, 3, 4))]
    assert 0 < night.trials <= sum(rule_counts(own))


def test_a_believed_rule_of_a_feature_beyond_the_default_ones_names_a_baseline():
    assert baseline_key((Rule.of(Literal(14, 0, 1)),)) != baseline_key((Rule.of(Literal(14, 1, 1)),))
