"""The numbers behind pictures of a night: calibration of the propensity, a lesson's life by day, a map of two features.

They describe; nothing here decides. Drawing is `lotus.pictures`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.learning.rows import DetectorRows
from lotus.priors.types import Rule

STRATA, _Z95 = 10, 1.959963984540054

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Strata of the logged propensity: mean p, share published with its 95 % interval (Wilson), windows."""

    detector_id: str
    p: Floats
    share: Floats
    low: Floats
    high: Floats
    windows: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LifeLine:
    """A rule day by day, from the days up to each: uplift with its 95 % interval, bps, and evidence M, nats.

    `watched`: day and e-value of the days after it was found, which did not choose it.
    """

    title: str
    days: tuple[str, ...]
    uplift: Floats
    low: Floats
    high: Floats
    evidence: Floats
    watched: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Uplift in bps and t over the bins of two features; NaN where nothing was published with a chance.

    `box` holds the closed ranges of bins of the rule along both: (low, high, low, high).
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_name: str
    column_name: str
    uplift: Floats
    t: Floats
    box: tuple[int, int, int, int]


def calibration(rows: DetectorRows) -> Calibration:
    """Return the calibration of one detector over windows with 0 < p < 1, in ten strata of equally many."""
    drawn = rows.h > 0.0
    p, a = rows.p[drawn], rows.published[drawn].astype(np.float64)
    parts = [part for part in np.array_split(np.argsort(p, kind="stable"), STRATA) if len(part)]
    n = np.array([len(part) for part in parts], dtype=np.float64)
    mean, share = (np.array([values[part].mean() for part in parts]) for values in (p, a))
    z2 = _Z95 * _Z95
    centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = _Z95 * np.sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n)) / (1.0 + z2 / n)
    return Calibration(rows.detector_id, mean, share, centre - half, centre + half, n.astype(np.int64))


def life_line(rows: DetectorRows, r: Floats, rule: Rule, title: str, ln_rules: float) -> LifeLine:
    """Return the life of a rule over residual scores r [n]; six-hour blocks, all days weighted alike."""
    covered = rows.covered(rule)
    d, h = (np.bincount(rows.lane[covered], weights=x[covered], minlength=rows.n_lanes) for x in (r, rows.h))
    n, sum_d, sum_h = np.cumsum(h > 0.0), np.cumsum(d), np.cumsum(h)
    square, cross, weight = np.cumsum(d * d), np.cumsum(d * h), np.cumsum(h * h)
    usable = (n >= 2) & (sum_h > 0.0) & (square > 0.0)
    safe_h = np.where(usable, sum_h, 1.0)
    uplift = np.where(usable, sum_d / safe_h, np.nan)
    spread = np.maximum(square - 2.0 * uplift * cross + uplift**2 * weight, 0.0)
    se = np.sqrt(spread * n / np.maximum(n - 1, 1)) / safe_h
    evidence = np.where(usable, 0.5 * sum_d**2 / np.where(usable, square, 1.0) - ln_rules, np.nan)
    last = np.flatnonzero(np.append(np.diff(rows.lane_day) > 0, True))
    days = tuple(rows.days[i] for i in rows.lane_day[last])
    low, high = uplift - _Z95 * se, uplift + _Z95 * se
    return LifeLine(title, days, uplift[last], low[last], high[last], evidence[last])


def heat_map(rows: DetectorRows, r: Floats, rule: Rule, title: str) -> HeatMap:
    """Return the map over the first two features of a rule (a rule of one: with the feature after it)."""
    ranges = {x.feature: (x.low, x.high) for x in rule.literals}
    known = rows.vocabulary.features
    axis = [x.feature for x in rule.literals[:2]]
    if len(axis) < 2:
        axis = sorted({axis[0], (axis[0] + 1) % len(known)})
    a, b = axis[0], axis[-1]
    shape = (known[a].bins, known[b].bins)
    uplift, t = np.full(shape, np.nan), np.full(shape, np.nan)
    for i in range(shape[0]):
        for j in range(shape[1]):
            inside = (rows.bins[:, a] == i) & (rows.bins[:, b] == j)
            d, h = (np.bincount(rows.lane[inside], weights=x[inside], minlength=1) for x in (r, rows.h))
            square = float((d * d).sum())
            if h.sum() > 0.0 and square > 0.0:
                uplift[i, j] = d.sum() / h.sum()
                t[i, j] = d.sum() / np.sqrt(square)
    box = (*ranges.get(a, (0, shape[0] - 1)), *ranges.get(b, (0, shape[1] - 1)))
    labels = [known[f].labels or tuple(str(k) for k in range(known[f].bins)) for f in (a, b)]
    return HeatMap(title, labels[0], labels[1], known[a].name, known[b].name, uplift, t, box)
