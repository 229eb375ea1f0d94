"""The groups of coins that rules may speak of: each coin of a small universe, fifths by liquidity of a large one.

Fifths are ranked by the median quoted spread (bps, narrower is more liquid; Chordia, Roll, Subrahmanyam 2000) over the
last learning days before the Monday of the week, so that they are known before the week begins and stand still in it.
They travel in the day tables; a small universe needs no table. What a group means in a rule is
`lotus.priors.asset_context`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.detectors.daily.tables import DayTables
from lotus.manifest import Asset, Manifest
from lotus.priors.asset_context import FIFTHS, MAX_OWN_GROUPS
from lotus.priors.vocabulary import FEATURE_NAMES, NULL_BIN

_SPREAD = FEATURE_NAMES.index("spread")


def monday_of(day: str) -> str:
    """Return the Monday (UTC) of a day's week.

    >>> monday_of("2026-01-07"), monday_of("2026-01-05")
    ('2026-01-05', '2026-01-05')
    """
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()


def fifths_of_week(
    day: str, history: Sequence[DayHistory], manifest: Manifest, universe: Sequence[Asset]
) -> tuple[int, ...]:
    """Return the fifth of each coin in the week of `day`, 255 for one not seen before it.

    Empty where coins are no context, are five or fewer, or nothing was seen before the week.
    """
    if not manifest.learning.asset_context or len(universe) <= MAX_OWN_GROUPS:
        return ()
    monday = monday_of(day)
    earlier = [h for h in history if h.day < monday][-manifest.score.history_days :]
    spreads = [(_median_spread(earlier, a), a) for a in range(len(universe))]
    ranked = sorted((spread, a) for spread, a in spreads if spread == spread)
    if not ranked:
        return ()
    fifth = {a: rank * len(FIFTHS) // len(ranked) for rank, (_, a) in enumerate(ranked)}
    return tuple(fifth.get(a, NULL_BIN) for a in range(len(universe)))


def groups_of(tables: DayTables) -> NDArray[np.int64]:
    """Return the group of each coin of the tables, int64 [A]: its place in a universe of two to five, or its fifth."""
    if tables.asset_fifths:
        return np.array(tables.asset_fifths, dtype=np.int64)
    count = len(tables.assets)
    if 2 <= count <= MAX_OWN_GROUPS:
        return np.arange(count, dtype=np.int64)
    return np.full(count, NULL_BIN, dtype=np.int64)


def groups_by_name(tables: DayTables) -> Mapping[str, int]:
    """Return the group of each coin of the tables by its name."""
    return dict(zip(tables.assets, groups_of(tables).tolist(), strict=True))


def _median_spread(days: Sequence[DayHistory], asset: int) -> float:
    """Return the median quoted spread of a coin's windows in bps, NaN without any."""
    values = np.concatenate([h.x[h.key % MAX_ASSETS == asset, _SPREAD] for h in days] or [np.zeros(0)])
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")
