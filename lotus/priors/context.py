"""The context of a decision as twelve characters: the bins of the default vocabulary, one digit each, `-` for null.

So the context of a window travels in messages beside its signal. Edges and names of bins are `vocabulary`'s and the day
tables'; nothing is matched here.
"""

from collections.abc import Sequence

import numpy as np

from lotus.errors import BeliefError
from lotus.priors.vocabulary import ALIGNED, N_BINS, N_FEATURES, NULL_BIN

NULL = "-"
NO_CONTEXT = NULL * N_FEATURES


def context_text(bins: Sequence[int]) -> str:
    """Return bins [12] as text.

    >>> context_text([4, 0, 255, 1, 2, 3, 0, 0, 1, 3, 2, 255])
    '40-12300132-'
    """
    return "".join(NULL if b == NULL_BIN else str(b) for b in bins)


def context_bins(text: str) -> tuple[int, ...]:
    """Return the bins [12] behind a text, all null for an empty one; raises `BeliefError` for anything else.

    >>> context_bins("40-12300132-")[:3], set(context_bins(""))
    ((4, 0, 255), {255})
    """
    bins = tuple(NULL_BIN if c == NULL else int(c) if c in "01234" else -1 for c in text or NO_CONTEXT)
    if len(bins) != N_FEATURES or not all(b == NULL_BIN or 0 <= b < n for b, n in zip(bins, N_BINS, strict=True)):
        raise BeliefError(f"context {text!r}", f"{N_FEATURES} bins of the vocabulary, {NULL!r} for null")
    return bins


def market_context(texts: Sequence[str]) -> tuple[int, ...]:
    """Return the bins [12] of a market from the contexts of its windows: the lower median of each feature.

    Features aligned with a signal's direction have no meaning for a whole book and are null, as are unknown ones.

    >>> market_context(["40-12300132-", "20-12300132-", "10-12300132-"])
    (2, 0, 255, 1, 255, 3, 255, 255, 1, 3, 255, 255)
    """
    rows = np.array([context_bins(text) for text in texts], dtype=np.int64).reshape(-1, N_FEATURES)
    out = []
    for column, aligned in zip(rows.T, ALIGNED, strict=True):
        bins = np.sort(column[column != NULL_BIN])
        out.append(NULL_BIN if aligned or not len(bins) else int(bins[(len(bins) - 1) // 2]))
    return tuple(out)
