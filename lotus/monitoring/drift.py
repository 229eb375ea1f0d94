"""Drift of a day: each series against its like days, lessened by its own slow life, ranked in its past, and summed.

x of a sketch is its Wasserstein distance to the mean of the like days' quantile functions in their IQR, of a number its
distance to their median in MAD, both moved to the volatility of the day (`reference`). Ranked is what of x the days
before do not foretell (`own_life`). What is not tested is counted by
reason. PSI and KS stand beside, untested: on markets whose volatility persists they speak every day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.monitoring.drift_table import DriftReport, Verdict, carrying
from lotus.monitoring.e_detector import ALARM, bets, family_mean, ranks, summed, tie_breaks
from lotus.monitoring.like_days import FEWEST, class_days
from lotus.monitoring.own_life import left_over, nan_median
from lotus.monitoring.reference import Reference
from lotus.monitoring.sketch_table import LEVELS, DaySketches, SeriesName, aligned
from lotus.monitoring.sketches import FEWEST_ROWS, POINTS, distance, largest_gap, medians, stability_index
from lotus.timebase import day_start_ms

Floats = NDArray[np.float64]
REST_DECIMALS: Final = 9  # of an IQR: ranks must not hang on the last bits of a sum
REPORTS: Final = 180  # reports of earlier days that are looked through for the last 90 tested ones


@dataclass(frozen=True, slots=True)
class Compared:
    """Series of one day against their like days, arrays over the series; x NaN where the verdict says why."""

    verdict: NDArray[np.uint8]
    like: NDArray[np.int32]
    found: Floats
    expected: Floats
    x: Floats
    psi: Floats
    ks: Floats


def drift_report(
    day: str,
    sketches: DaySketches,
    before: Sequence[tuple[str, DaySketches]],
    reports: Sequence[DriftReport],
    seed: int,
) -> DriftReport:
    """Return the report of `day`; `before`: sketches of earlier learning days, oldest first, `reports` as well.

    A series of the last report that the day lacks keeps its row and its r until its family's next alarm.
    """
    carried = last_sums(reports)
    names = tuple(sorted({*sketches.names, *carried}))
    compared = compare(day, names, sketches, before)
    x = round_learned(compared.x)
    ties = tie_breaks(names, seed, day_start_ms(day))
    expected = round_learned(compared.expected)
    today = (x * side_of(compared.found, expected))[:, None]
    rest = np.round(left_over(np.concatenate([past_distances(names, reports), today], axis=1)), REST_DECIMALS)
    p = round_learned(ranks(rest[:, -1], rest[:, :-1], ties))
    e = round_learned(bets(p))
    r = round_learned(summed(np.array([carried.get(name, 0.0) for name in names]), e))
    verdict = compared.verdict.copy()
    verdict[(verdict == Verdict.TESTED) & ~np.isfinite(p)] = Verdict.YOUNG
    family_r, named = by_family(names, r)
    return DriftReport(
        names,
        {
            "verdict": verdict,
            "like_days": compared.like,
            "found": compared.found,
            "expected": expected,
            "x": x,
            "p": p,
            "e": e,
            "r": r,
            "family_r": family_r,
            "is_named": named,
            "psi": round_learned(compared.psi),
            "ks": round_learned(compared.ks),
        },
    )


def last_sums(reports: Sequence[DriftReport]) -> dict[SeriesName, float]:
    """Return r by series after the last report: none of a family that alarmed, whose series begin anew."""
    if not reports:
        return {}
    last = reports[-1]
    quiet = last.floats("family_r") < ALARM
    return {
        name: float(r)
        for name, r, goes_on in zip(last.names, last.floats("r"), quiet, strict=True)
        if goes_on and r > 0.0
    }


def past_distances(names: Sequence[SeriesName], reports: Sequence[DriftReport]) -> Floats:
    """Return x of the days that were compared, f8 [series, reports], oldest first, below 0 where it was too low."""
    out = np.full((len(names), len(reports)), np.nan)
    for column, (report, rows) in enumerate(zip(reports, aligned(names, [r.names for r in reports]), strict=True)):
        x = report.floats("x") * side_of(report.floats("found"), report.floats("expected"))
        out[:, column] = np.where(rows >= 0, x[rows], np.nan)
    return out


def side_of(found: Floats, expected: Floats) -> Floats:
    """Return 1 where a median, or number, is not below what is expected, else -1."""
    return np.where(found < expected, -1.0, 1.0)


def by_family(names: Sequence[SeriesName], r: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the mean r of each series' family, and in a family in alarm which series carry it."""
    family = np.array([name.family for name in names])
    mean, named = np.zeros(len(names)), np.zeros(len(names), np.bool_)
    for one in np.unique(family):
        rows = np.flatnonzero(family == one)
        mean[rows] = round_learned(np.array([family_mean(r[rows])]))[0]
        if mean[rows[0]] >= ALARM:
            named[rows[carrying(r[rows])]] = True
    return mean, named


def compare(
    day: str, names: Sequence[SeriesName], sketches: DaySketches, before: Sequence[tuple[str, DaySketches]]
) -> Compared:
    """Return each series of `names` against its like days among `before` (oldest first)."""
    count = len(names)
    out = Compared(
        verdict=np.full(count, Verdict.ABSENT, np.uint8),
        like=np.zeros(count, np.int32),
        found=np.full(count, np.nan),
        expected=np.full(count, np.nan),
        x=np.full(count, np.nan),
        psi=np.full(count, np.nan),
        ks=np.full(count, np.nan),
    )
    days, past = [one for one, _ in before], _past(names, [one for _, one in before])
    here = aligned(names, [sketches.names])[0]
    for asset in sorted({name.asset for name in sketches.names}):
        rows = np.array([row for row, name in enumerate(names) if name.asset == asset and here[row] >= 0])
        ln_rv = np.array([one.ln_rv.get(asset, np.nan) for _, one in before])
        of_class = class_days(day, days, ln_rv)
        reference = Reference(sketches.ln_rv.get(asset, np.nan), ln_rv[of_class])
        own = tuple(values[rows][:, of_class] for values in past)
        _compare_asset(out, rows, [names[row] for row in rows.tolist()], sketches, own, reference)
    return out


def _past(names: Sequence[SeriesName], before: Sequence[DaySketches]) -> tuple[Floats, Floats]:
    """Return number f8 [S, T] and quantiles f8 [S, T, 49] of names on earlier days; NaN where there is not enough."""
    numbers, laws = np.full((len(names), len(before)), np.nan), np.full((len(names), len(before), POINTS), np.nan)
    for column, (day, rows) in enumerate(zip(before, aligned(names, [d.names for d in before]), strict=True)):
        numbers[:, column] = np.where(rows >= 0, day.number[rows], np.nan)
        present = np.flatnonzero(np.where(rows >= 0, day.count[rows], 0) >= FEWEST_ROWS)
        laws[present, column] = day.quantiles[rows[present]]
    return numbers, laws


def _compare_asset(
    out: Compared,
    rows: NDArray[np.int64],
    names: Sequence[SeriesName],
    sketches: DaySketches,
    past: tuple[Floats, ...],
    reference: Reference,
) -> None:
    """Fill in the rows of one asset, whose series share their like days; `past`: as `_past`, of days of its class."""
    here = np.array([sketches.places[name] for name in names])
    number, quantiles = sketches.number[here], sketches.quantiles[here]
    is_number = np.isnan(quantiles).any(axis=1)
    found = np.where(is_number, number, medians(quantiles))
    enough = np.where(is_number, np.isfinite(number), sketches.count[here] >= FEWEST_ROWS)
    of_number = _number_distance(number, past[0], reference)
    of_law = _law_distance(quantiles, past[1], reference)
    days, expected, x = (np.where(is_number, a, b) for a, b in zip(of_number, of_law[:3], strict=True))
    is_level = np.array([name.series in LEVELS for name in names])
    verdict = np.select(
        [~enough, is_level, days < FEWEST, np.full(len(names), reference.is_far), ~np.isfinite(x)],
        [Verdict.NULL, Verdict.LEVEL, Verdict.FEW_LIKE, Verdict.UNLIKE, Verdict.NO_SPREAD],
        Verdict.TESTED,
    )
    compared = enough & (days >= FEWEST)
    out.verdict[rows], out.like[rows] = verdict, days
    out.found[rows] = np.where(enough, found, np.nan)
    out.expected[rows] = np.where(days >= FEWEST, expected, np.nan)
    out.x[rows] = np.where(verdict == Verdict.TESTED, x, np.nan)
    shown = np.flatnonzero(compared & ~is_number)
    out.psi[rows[shown]] = stability_index(quantiles[shown], of_law[3][shown])
    out.ks[rows[shown]] = largest_gap(quantiles[shown], of_law[3][shown])


def _number_distance(number: Floats, past: Floats, reference: Reference) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return how many like days have the number, what is expected of it, |v - expected| / MAD; NaN where MAD is 0."""
    like = past[:, reference.like]
    days, middle = np.isfinite(like).sum(axis=1), nan_median(like)
    mad = nan_median(np.abs(like - middle[:, None]))
    expected = middle + reference.moved(past[:, :, None])[:, 0]
    return days, expected, np.abs(number - expected) / np.where(mad > 0.0, mad, np.nan)


def _law_distance(
    quantiles: Floats, past: Floats, reference: Reference
) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Return how many like days have the sketch, the median of the reference, the distance to it, and itself."""
    like = past[:, reference.like]
    present = np.asarray(np.isfinite(like).all(axis=2))
    days = present.sum(axis=1)
    total = np.where(present[:, :, None], like, 0.0).sum(axis=1)
    barycentre = total / np.where(days > 0, days, np.nan)[:, None]
    expected = barycentre + reference.moved(past)
    return days, medians(expected), distance(quantiles, expected), expected
