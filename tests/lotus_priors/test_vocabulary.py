"""A vocabulary other than the default one: its literals, rule counts and texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import BeliefError
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import (
    DEFAULT,
    FEATURES,
    Feature,
    Vocabulary,
    describe_rule,
    iter_rules,
    literals_of,
    rule_counts,
)

READINGS = ("one_sided", "at_least", "at_most", "range", "single")
OWN = Vocabulary(
    (
        Feature("x_flow", 3, "", reading="at_least"),
        Feature("x_regime", 2, "", reading="single", labels=("calm", "wild")),
        Feature("x_age", 5, "", reading="at_most"),
        Feature("x_gap", 4, "", reading="range"),
    )
)


def test_the_default_vocabulary_is_the_twelve_features():
    assert DEFAULT.features == FEATURES
    assert rule_counts() == rule_counts(DEFAULT) == (111, 5594, 169260)


def test_literals_follow_the_reading_of_the_feature():
    bounds = [[(x.low, x.high) for x in literals_of(f, OWN)] for f in range(4)]
    assert bounds[0] == [(1, 2), (2, 2)]
    assert bounds[1] == [(0, 0), (1, 1)]
    assert bounds[2] == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert len(bounds[3]) == 9


@given(st.lists(st.tuples(st.integers(2, 5), st.sampled_from(READINGS)), min_size=1, max_size=5))
def test_rule_counts_equal_the_rules_listed(features):
    own = Vocabulary(tuple(Feature(f"f{i}", bins, "", reading=how) for i, (bins, how) in enumerate(features)))
    assert rule_counts(own) == tuple(len(list(iter_rules(n, own))) for n in (1, 2, 3))


def test_rules_read_as_the_features_are_named():
    rule = Rule.of(Literal(0, 2, 2), Literal(1, 1, 1), Literal(3, 1, 2))
    assert describe_rule(rule, OWN) == "x_flow = 2 and x_regime = wild and x_gap in 1..2"


@pytest.mark.parametrize(
    "features",
    [
        (),
        (Feature("a", 5, ""), Feature("a", 3, "")),
        (Feature("a", 6, ""),),
        (Feature("a", 1, ""),),
        (Feature("a", 3, "", labels=("one", "two")),),
    ],
)
def test_what_is_no_vocabulary_is_refused(features):
    with pytest.raises(BeliefError):
        Vocabulary(features)
