"""Days of a few assets whose volatility persists, as sketches."""

from collections.abc import Sequence

import numpy as np

from lotus.monitoring.sketch_table import DATA, LN_RV, DaySketches, SeriesName, numbered, sketched, together
from lotus.timebase import days_between

ASSETS, SERIES = ("BTC", "ETH"), ("spread_bps", "imb_5", "ret_bps")


def days_of(
    seed: int, count: int, moved: Sequence[SeriesName] = (), from_day: int = 0, by: float = 0.8, rows: int = 400
) -> list[tuple[str, DaySketches]]:
    """Return `count` days; from `from_day` on the series `moved` lie `by` standard deviations higher."""
    rng, out, ln_rv = np.random.default_rng(seed), [], 0.0
    for place, day in enumerate(days_between("2025-01-01", "2027-01-01")[:count]):
        ln_rv = 0.9 * ln_rv + 0.1 * rng.normal()
        parts = []
        for asset in ASSETS:
            level = rng.normal(size=(len(SERIES), 1)) * 0.1
            values = level + np.exp(ln_rv) * rng.normal(size=(len(SERIES), rows))
            names = [SeriesName(DATA, asset, "", one) for one in SERIES]
            if place >= from_day:
                values += by * np.array([[one in moved] for one in names])
            rv = ln_rv + 0.2 * rng.normal(size=(1, rows))
            parts += [sketched(names, values), sketched([SeriesName(DATA, asset, "", LN_RV)], rv)]
        parts.append(numbered({SeriesName("diversity", "", "", "n_eff"): 3.0 + 0.1 * rng.normal()}))
        out.append((day, together(parts)))
    return out
