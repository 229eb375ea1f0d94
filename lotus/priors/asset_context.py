"""The coin as context: a thirteenth feature whose bins are groups of coins, so that a rule may speak of one of them.

Each coin of a universe of two to five is a group of its own; a larger universe has five, from the most liquid fifth to
the least (frozen weekly in the day tables). The bin of a window follows from its coin and is stored nowhere, so tables
of windows have the twelve features of the default vocabulary whether coins are context or not. Which coin is in which
group is `lotus.detectors.daily.asset_groups`; nothing is searched here.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import BeliefError
from lotus.manifest import Asset, Manifest
from lotus.priors.types import Rule
from lotus.priors.vocabulary import DEFAULT, MAX_BINS, N_FEATURES, NULL_BIN, Feature, Vocabulary, check_rule
from lotus.priors.vocabulary import describe_literal as _plain_words

ASSET: Final = N_FEATURES  # the feature's place in rules and beside the twelve bins
ASSET_COLUMN: Final = "b_asset"
MAX_OWN_GROUPS: Final = MAX_BINS  # coins up to which each is a group of its own
FIFTHS: Final = tuple(f"the {place} fifth by liquidity" for place in ("first", "second", "third", "fourth", "last"))


def vocabulary_of(manifest: Manifest) -> Vocabulary:
    """Return the vocabulary that lessons are searched in: the default one unless coins are context."""
    return words_of(manifest.universe) if manifest.learning.asset_context else DEFAULT


def words_of(universe: Sequence[Asset]) -> Vocabulary:
    """Return the words that rules over windows of this universe are read in; one coin has none of its own."""
    return _words(tuple(asset.name for asset in universe))


@cache
def _words(names: tuple[str, ...]) -> Vocabulary:
    if len(names) < 2:
        return DEFAULT
    labels = names if len(names) <= MAX_OWN_GROUPS else FIFTHS
    unit = "coin" if len(names) <= MAX_OWN_GROUPS else "fifth of the universe by spread"
    return Vocabulary((*DEFAULT.features, Feature("asset", len(labels), unit, reading="single", labels=labels)))


def is_about_asset(rule: Rule) -> bool:
    """Return whether a rule speaks of a coin or a group of coins, or of a segment, which stands in the same place."""
    return any(literal.feature == ASSET for literal in rule.literals)


def check_with_asset(rule: Rule) -> Rule:
    """Return the rule when it is of the vocabulary, a literal about one group of coins apart.

    Raises `BeliefError` naming the literal that is not.
    """
    check_rule(Rule(tuple(literal for literal in rule.literals if literal.feature != ASSET)))
    for literal in rule.literals:
        if literal.feature == ASSET and not literal.low == literal.high < MAX_BINS:
            raise BeliefError(f"literal {literal}", f"one group of coins, 0 to {MAX_BINS - 1}")
    return rule


def asset_bins(names: NDArray[np.generic], groups: Mapping[str, int]) -> NDArray[np.uint8]:
    """Return the group of each coin [n], null for one without."""
    return np.array([groups.get(name, NULL_BIN) for name in names.tolist()], dtype=np.uint8)


def describe_with(rule: Rule, words: Vocabulary = DEFAULT) -> str:
    """Return a rule as a person reads it, coins by their names ("always" for the empty one).

    >>> from lotus.priors.types import Literal
    >>> describe_with(Rule.of(Literal(0, 3, 4), Literal(ASSET, 1, 1)), words_of([Asset("BTC", 5), Asset("ETH", 4)]))
    'vol >= 3 and on ETH'
    >>> describe_with(Rule.of(Literal(ASSET, 1, 1)))
    'on asset group 1'
    """
    parts = []
    for literal in rule.literals:
        if literal.feature != ASSET:
            parts.append(_plain_words(literal))
        elif len(words.features) > ASSET and words.features[ASSET].labels:
            parts.append(f"on {words.features[ASSET].labels[literal.low]}")
        elif len(words.features) > ASSET:
            parts.append(f"in {words.features[ASSET].name} {literal.low}")
        else:
            parts.append(f"on asset group {literal.low}")
    return " and ".join(parts) or "always"
