"""Segments in the thirteenth place: what rules over them cost, how they are read, no coins beside them."""

import pytest

from lotus.errors import ConfigError
from lotus.learning.axes import axes
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.asset_context import describe_with, vocabulary_of
from lotus.priors.segment_context import SEGMENT, SEGMENT_COLUMN, SEGMENT_WORDS, has_segments, rule_words, search_words
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import DEFAULT, rule_counts

ON = Manifest(learning=LearningDefaults(segment_context=True))


def test_segments_are_context_only_where_they_are_switched_on() -> None:
    assert search_words(Manifest()) is DEFAULT
    assert search_words(ON) is rule_words(ON) is SEGMENT_WORDS
    assert search_words(Manifest(learning=LearningDefaults(asset_context=True))).features[SEGMENT].name == "asset"
    assert vocabulary_of(ON) is DEFAULT  # no families of coins are begun
    assert (SEGMENT_COLUMN, SEGMENT_WORDS.features[:SEGMENT]) == ("b_segment", DEFAULT.features)
    with pytest.raises(ConfigError, match="one of them"):
        has_segments(Manifest(learning=LearningDefaults(segment_context=True, asset_context=True)))


def test_the_switch_is_in_a_name_only_where_it_is_on() -> None:
    assert "segment_context" not in repr(LearningDefaults())
    assert Manifest(learning=LearningDefaults(segment_context=False)).version == Manifest().version != ON.version


def test_a_home_of_segments_pays_for_286_triples() -> None:
    one, two, three = rule_counts()
    assert rule_counts(SEGMENT_WORDS) == (one + 5, two + 5 * one, three + 5 * two)
    space = axes(3, SEGMENT_WORDS)
    assert sum((subset >= 0).sum() == 3 for subset in space.subsets) == 286


def test_a_rule_is_read_with_its_segment() -> None:
    rule = Rule.of(Literal(0, 3, 4), Literal(SEGMENT, 2, 2))
    assert describe_with(rule, SEGMENT_WORDS) == "vol >= 3 and in segment 2"
