"""The vocabulary: the numbers of rules the design names, and masks against a literal-by-literal oracle."""

import doctest

import numpy as np
import pytest

from lotus.errors import BeliefError
from lotus.priors import types, vocabulary
from lotus.priors.types import Literal, Rule


def test_numbers_of_rules_are_those_of_the_design() -> None:
    assert vocabulary.rule_counts() == (111, 5594, 169260)
    assert sum(1 for _ in vocabulary.iter_rules(1)) == 111
    assert sum(1 for _ in vocabulary.iter_rules(2)) == 5594
    assert vocabulary.N_BINS == (5, 3, 5, 5, 5, 5, 5, 5, 5, 4, 5, 5)
    assert sum(vocabulary.ALIGNED) == 5


def test_masks_agree_with_literals_and_never_cover_null() -> None:
    rng = np.random.default_rng(3)
    bins = rng.integers(0, 5, (400, 12)).astype(np.uint8)
    bins[rng.random((400, 12)) < 0.1] = vocabulary.NULL_BIN
    rules = list(vocabulary.iter_rules(2))
    for k in rng.integers(0, len(rules), 60):
        rule = rules[k]
        expected = [all(x.holds(int(row[x.feature])) for x in rule.literals) for row in bins]
        assert vocabulary.rule_mask(rule, bins).tolist() == expected


def test_a_rule_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(BeliefError):
        vocabulary.check_rule(Rule.of(Literal(0, 1, 2)))
    with pytest.raises(BeliefError):
        Rule((Literal(3, 0, 1), Literal(2, 0, 1)))
    assert vocabulary.check_rule(Rule.of(Literal(11, 1, 2), Literal(0, 3, 4))).literals[0].feature == 0


def test_doctests() -> None:
    for module in (types, vocabulary):
        assert doctest.testmod(module).failed == 0
