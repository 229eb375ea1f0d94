"""The rule vocabulary: quantised context features, their literals and the numbers of rules over them.

Features are "context bins" in the literature on subgroup discovery. The default vocabulary holds the twelve features
that Lotus computes itself; any other may stand in its place. No data, no edges (those are day tables) and no search
belong here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Literal as OneOf

import numpy as np
from numpy.typing import NDArray

from lotus.errors import BeliefError
from lotus.priors.types import MAX_LITERALS, Literal, Rule

NULL_BIN = 255
MAX_BINS = 5

Reading = OneOf["one_sided", "at_least", "at_most", "range", "single"]


@dataclass(frozen=True, slots=True)
class Feature:
    """One context feature: `aligned` ones are binned on d*x (d = sign of the signal).

    `reading` says which ranges of bins are literals: one-sided ones (a monotone feature; `at_least` and `at_most` take
    only one of the sides), any `range` (an ordered feature with a middle), or `single` bins (categories without order).
    """

    name: str
    bins: int
    unit: str
    aligned: bool = False
    reading: Reading = "one_sided"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features that rules may speak of, in the order of their bins; raises `BeliefError` when they cannot be."""

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        names = [f.name for f in self.features]
        if not names or len(set(names)) != len(names):
            raise BeliefError(f"a vocabulary over {names}", "one feature or more, of different names")
        for f in self.features:
            if not 2 <= f.bins <= MAX_BINS or (f.labels and len(f.labels) != f.bins):
                raise BeliefError(
                    f"feature {f.name} of {f.bins} bins, {len(f.labels)} labels", "2 to 5 bins, each named"
                )

    @property
    def bin_columns(self) -> tuple[str, ...]:
        """Names of the columns that hold the bins."""
        return tuple(f"b_{f.name}" for f in self.features)


FEATURES: tuple[Feature, ...] = (
    Feature("vol", 5, "bps per sqrt(minute), realised, 5 min"),
    Feature("hbar", 3, "kr_hbar, surprise in [0, 1]"),
    Feature("mx", 5, "mx_evidence in [0, 1]"),
    Feature("depth_slope", 5, "log cumulative size per bps"),
    Feature("imbalance", 5, "imb_5 in [-1, 1], mean of the window", aligned=True),
    Feature("oi", 5, "open interest, base units"),
    Feature("funding", 5, "bps per hour", aligned=True, reading="range"),
    Feature("basis", 5, "bps, mid - oracle", aligned=True, reading="range"),
    Feature("spread", 5, "bps"),
    Feature("session", 4, "ASIA < EU < US < WEEKEND", reading="range", labels=("ASIA", "EU", "US", "WEEKEND")),
    Feature("flow", 5, "signed taker volume share of 1 min", aligned=True),
    Feature("trend", 5, "5 min return in units of its volatility", aligned=True, reading="range"),
)
DEFAULT = Vocabulary(FEATURES)
N_FEATURES = len(FEATURES)
FEATURE_NAMES: tuple[str, ...] = tuple(f.name for f in FEATURES)
N_BINS: tuple[int, ...] = tuple(f.bins for f in FEATURES)
ALIGNED: tuple[bool, ...] = tuple(f.aligned for f in FEATURES)
BIN_COLUMNS: tuple[str, ...] = DEFAULT.bin_columns
VALUE_COLUMNS: tuple[str, ...] = tuple(f"x_{name}" for name in FEATURE_NAMES)
SESSION = FEATURE_NAMES.index("session")


def literals_of(feature: int, vocabulary: Vocabulary = DEFAULT) -> tuple[Literal, ...]:
    """Return every literal of one feature in rising order of (low, high); the full range says nothing and is left out.

    >>> len(literals_of(0)), len(literals_of(SESSION))
    (8, 9)
    """
    mine = vocabulary.features[feature]
    top, reading = mine.bins - 1, mine.reading
    ranges = [(low, high) for low in range(top + 1) for high in range(low, top + 1) if (low, high) != (0, top)]
    if reading == "single":
        ranges = [(low, high) for low, high in ranges if low == high]
    elif reading != "range":
        below, above = reading != "at_least", reading != "at_most"
        ranges = [(low, high) for low, high in ranges if (below and low == 0) or (above and high == top)]
    return tuple(Literal(feature, low, high) for low, high in ranges)


def all_literals(vocabulary: Vocabulary = DEFAULT) -> tuple[Literal, ...]:
    """Return all literals, feature by feature."""
    return tuple(x for f in range(len(vocabulary.features)) for x in literals_of(f, vocabulary))


def iter_rules(size: int, vocabulary: Vocabulary = DEFAULT) -> Iterator[Rule]:
    """Yield every rule of exactly `size` literals: feature subsets in lexicographic order, then literals in order."""
    for chosen in combinations(range(len(vocabulary.features)), size):
        for literals in product(*(literals_of(f, vocabulary) for f in chosen)):
            yield Rule(literals)


def rule_counts(vocabulary: Vocabulary = DEFAULT) -> tuple[int, ...]:
    """Return (N_1, N_2, N_3): the number of rules of each length.

    >>> rule_counts()
    (111, 5594, 169260)
    """
    polynomial = [1] + [0] * MAX_LITERALS
    for f in range(len(vocabulary.features)):
        n = len(literals_of(f, vocabulary))
        for k in range(MAX_LITERALS, 0, -1):
            polynomial[k] += polynomial[k - 1] * n
    return tuple(polynomial[1:])


def check_rule(rule: Rule) -> Rule:
    """Return the rule when each literal is one of the vocabulary; raises `BeliefError` naming the one that is not."""
    for literal in rule.literals:
        if literal.feature >= N_FEATURES or literal not in literals_of(literal.feature):
            raise BeliefError(f"literal {literal} is not in the vocabulary", "a literal of literals_of(feature)")
    return rule


def rule_mask(rule: Rule, bins: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which rows of `bins` (uint8 [n, features]) the rule covers; null bins are never covered."""
    mask = np.ones(len(bins), dtype=np.bool_)
    for literal in rule.literals:
        column = bins[:, literal.feature]
        mask &= (column >= literal.low) & (column <= literal.high)
    return mask


def describe_literal(literal: Literal, vocabulary: Vocabulary = DEFAULT) -> str:
    """Return a literal as a person reads it.

    >>> describe_literal(Literal(0, 3, 4)), describe_literal(Literal(SESSION, 1, 2))
    ('vol >= 3', 'session in EU..US')
    """
    feature = vocabulary.features[literal.feature]
    name = f"d*{feature.name}" if feature.aligned else feature.name
    if feature.reading == "single" and feature.labels:
        return f"{name} = {feature.labels[literal.low]}"
    if feature.labels:
        return f"{name} in {feature.labels[literal.low]}..{feature.labels[literal.high]}"
    if literal.low == literal.high:
        return f"{name} = {literal.low}"
    if literal.low == 0:
        return f"{name} <= {literal.high}"
    if literal.high == feature.bins - 1:
        return f"{name} >= {literal.low}"
    return f"{name} in {literal.low}..{literal.high}"


def describe_rule(rule: Rule, vocabulary: Vocabulary = DEFAULT) -> str:
    """Return a rule as a person reads it ("always" for the empty one)."""
    return " and ".join(describe_literal(x, vocabulary) for x in rule.literals) or "always"


def describe_bins(bins: Sequence[int]) -> str:
    """Return the readable key of twelve bins, for example `vol=2 hbar=0 mx=- ...`."""
    shown = []
    for feature, b in zip(FEATURES, bins, strict=True):
        value = "-" if b == NULL_BIN else feature.labels[b] if feature.labels else str(b)
        shown.append(f"{feature.name}={value}")
    return " ".join(shown)
