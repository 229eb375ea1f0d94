"""How alike the payoffs of two detectors are: correlation of P over the windows that both signal in, day by day.

The interval is Student's over days of Fisher's z = artanh(r), none below five days. (Literature: Fisher 1915; connected
components of a correlation graph.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.quality import MIN_OVERLAP, Matured
from lotus.outcomes.intervals import student

MIN_DAYS: Final = 5
_MOST = 1.0 - 1e-9  # of |r|, whose artanh is finite


@dataclass(frozen=True, slots=True)
class Likeness:
    """Of two detectors: mean correlation of a day, and the lower end of the 95 % interval of its size."""

    first: str
    second: str
    corr: float
    low: float
    days: int


def likenesses(names: Sequence[str], payoffs: Sequence[Matured]) -> list[Likeness]:
    """Return the likeness of every pair with at least five days of 30 shared windows, in order of names."""
    return [
        found
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if (found := _likeness(names[i], names[j], payoffs[i], payoffs[j])) is not None
    ]


def clusters(names: Iterable[str], alike: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the size of each name's connected component over the pairs that are alike.

    >>> clusters("abcd", [("a", "b"), ("b", "c")])
    {'a': 3, 'b': 3, 'c': 3, 'd': 1}
    """
    group = {name: {name} for name in names}
    for first, second in alike:
        joined = group[first] | group[second]
        for name in joined:
            group[name] = joined
    return {name: len(members) for name, members in group.items()}


def _likeness(first: str, second: str, a: Matured, b: Matured) -> Likeness | None:
    places = np.minimum(np.searchsorted(b.key, a.key), max(len(b.key) - 1, 0))
    shared = b.key[places] == a.key if len(b.key) else np.zeros(len(a.key), np.bool_)
    day, p, q = a.day[shared], a.payoff[shared], b.payoff[places[shared]]
    found = [r for k in np.unique(day) if (r := _corr(p[day == k], q[day == k])) is not None]
    if len(found) < MIN_DAYS:
        return None
    z = np.arctanh(np.clip(found, -_MOST, _MOST))
    reach = student(len(z)) * float(z.std(ddof=1)) / float(np.sqrt(len(z)))
    mean = float(z.mean())
    return Likeness(first, second, float(np.tanh(mean)), float(np.tanh(max(abs(mean) - reach, 0.0))), len(z))


def _corr(p: NDArray[np.float64], q: NDArray[np.float64]) -> float | None:
    finite = np.isfinite(p) & np.isfinite(q)
    p, q = p[finite], q[finite]
    if len(p) < MIN_OVERLAP or p.std() <= 0.0 or q.std() <= 0.0:
        return None
    return float(np.corrcoef(p, q)[0, 1])
