"""How alike sources are: correlations of what they has_direction on the same coin and window, for the fusion's blocks.

A day is kept as sums per pair, so that the past is read without its windows. Pairs with too little in common count as
not alike. In the literature: pairwise-complete correlation.
"""

import math
from collections.abc import Iterable
from itertools import combinations
from typing import Final

import numpy as np

from lotus.columns import Column, TableSpec
from lotus.decision.knowledge.evidence import (
    Columns,
    Table,
    coded,
    has_direction,
    only,
    placed,
    signed_score,
    sources_of,
)
from lotus.hashing import round_learned

MIN_COMMON: Final = 30
DM_LIKENESS: Final = TableSpec(
    "dm_likeness",
    ("one", "other"),
    (
        Column("one", "text", "", "a source"),
        Column("other", "text", "", "another, of a later name"),
        Column("n", "i8", "windows", "windows of a coin on which both spoke", low=1),
        Column("a", "f8", "1", "sum of the signed scores of the one"),
        Column("b", "f8", "1", "sum of those of the other"),
        Column("aa", "f8", "1", "sum of the one's squared", low=0),
        Column("bb", "f8", "1", "sum of the other's squared", low=0),
        Column("ab", "f8", "1", "sum of products"),
    ),
)


def likeness_sums(events: Columns) -> Table:
    """Return what pairs of sources has_direction on the same coin and window of SIGNAL_EVENTS, as sums, in key order.

    Only what could have been published with a direction; windows on which only one spoke are left out, so that silence
    makes nobody alike.
    """
    spoken = only(events, has_direction(events))
    names, source = sources_of(spoken)
    window = placed((spoken["window_end_ms"].astype(np.int64), coded(spoken["asset"])[1]))
    distinct, place = np.unique(window, return_inverse=True)
    spoke, score = np.zeros((len(distinct), len(names))), np.zeros((len(distinct), len(names)))
    spoke[place, source], score[place, source] = 1.0, signed_score(spoken)
    n, one, square, product = spoke.T @ spoke, score.T @ spoke, (score**2).T @ spoke, score.T @ score
    pairs = [(i, k) for i, k in combinations(range(len(names)), 2) if n[i, k] > 0.0]
    i, k = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    words = np.array(names, dtype=object)
    return {
        "one": words[i], "other": words[k], "n": n[i, k].astype(np.int64), "a": one[i, k], "b": one[k, i],
        "aa": square[i, k], "bb": square[k, i], "ab": product[i, k],
    }  # fmt: skip


def correlations(days: Iterable[Columns], min_common: int = MIN_COMMON) -> dict[tuple[str, str], float]:
    """Return the correlation of signed scores for each pair of sources (names rising) with enough common windows."""
    total: dict[tuple[str, str], list[list[float]]] = {}
    for day in days:
        sums = zip(*(day[name].tolist() for name in ("n", "a", "b", "aa", "bb", "ab")), strict=True)
        for key, row in zip(zip(day["one"].tolist(), day["other"].tolist(), strict=True), sums, strict=True):
            total.setdefault(key, []).append(list(row))
    values = {}
    for key in sorted(total):
        n, a, b, aa, bb, ab = (math.fsum(column) for column in zip(*total[key], strict=True))
        spread = (aa - a * a / n) * (bb - b * b / n)
        if n >= min_common and spread > 1e-12 * aa * bb:  # below it nothing but rounding is left
            rho = (ab - a * b / n) / math.sqrt(spread)
            values[key] = float(round_learned(np.array([min(max(rho, -1.0), 1.0)]))[0])
    return values
