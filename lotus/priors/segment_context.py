"""The segment as context: a thirteenth feature whose bins are the labels of the list in force, in place of the coin.

A segment follows from what is stored of a window and from the list in the tables of its day, so it is stored nowhere
and windows keep their twelve bins. One of the two may stand in the thirteenth place of rules: coins or segments. What a
list is, is `lotus.detectors.daily.segment_list`; nothing is searched here.
"""

from typing import Final

from lotus.errors import ConfigError
from lotus.manifest import Manifest
from lotus.priors.asset_context import ASSET, vocabulary_of, words_of
from lotus.priors.vocabulary import DEFAULT, MAX_BINS, Feature, Vocabulary

SEGMENT: Final = ASSET  # the feature's place in rules
MOST_SEGMENTS: Final = MAX_BINS
SEGMENT_WORDS: Final = Vocabulary(
    (*DEFAULT.features, Feature("segment", MOST_SEGMENTS, "label of the list in force", reading="single"))
)
SEGMENT_COLUMN: Final = SEGMENT_WORDS.bin_columns[SEGMENT]


def has_segments(manifest: Manifest) -> bool:
    """Return whether segments are context; raises `ConfigError` where coins are as well."""
    learning = manifest.learning
    if learning.segment_context and learning.asset_context:
        found = "learning.segment_context and learning.asset_context are true"
        raise ConfigError(found, "one of them", "rules have one place for both")
    return learning.segment_context


def search_words(manifest: Manifest) -> Vocabulary:
    """Return the vocabulary that lessons are searched in; raises as `has_segments`."""
    return SEGMENT_WORDS if has_segments(manifest) else vocabulary_of(manifest)


def rule_words(manifest: Manifest) -> Vocabulary:
    """Return the words that rules of a home are read in: with segments, or else with the coins of its universe."""
    return SEGMENT_WORDS if manifest.learning.segment_context else words_of(manifest.universe)
