"""conf of every expert: how far |z| has been right, by an isotonic fit on outcomes, judged on days it has not seen.

conf = 2 P(the mid moves to the side of z within the horizon of the refit | |z|) - 1, and 0 below a coin: 1 is
certainty. An expert that has no fit, or whose fit did not beat its present form on unseen days, keeps that form:
2 logistic(|z|) - 1, which takes z at its word as a log-likelihood ratio. Rows are windows in which the expert speaks.
Literature: isotonic calibration (B. Zadrozny, C. Elkan, 2002).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.experts.fusion import Knots
from lotus.experts.weekly.refit import (
    MAX_KNOTS,
    MIN_ROWS,
    Curve,
    RefitRows,
    at_knots,
    isotonic,
    knots_of,
    reliability_curve,
    step_ends,
)
from lotus.experts.weekly.verdict import RefitVerdict, compare, log_losses

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ConfidenceFit:
    """A fit of one expert: knots of conf over |z|, its verdict, and the curves of both forms on unseen days.

    Curves are of P(right): predicted and observed.
    """

    expert_id: str
    knots: Knots
    verdict: RefitVerdict
    curve: Curve
    curve_in_force: Curve


def fit_confidences(rows: RefitRows, names: Sequence[str], in_force: Sequence[Knots]) -> list[ConfidenceFit]:
    """Return a fit for every expert that speaks often enough; `in_force`: present knots in the order of `names`."""
    fit, tune, judge = rows.parts()
    fits = []
    for k, name in enumerate(names):
        z = rows.z[:, k]
        speaks = np.isfinite(z) & (z != 0.0)
        seen, unseen = speaks & (fit | tune), speaks & judge
        if min(int(seen.sum()), int(unseen.sum())) < MIN_ROWS:
            continue
        size, right = np.abs(z), (z > 0.0) == rows.up
        knots = confidence_knots(size[seen], right[seen])
        before, after = (_right(confidence(size[unseen], form)) for form in (in_force[k], knots))
        came = right[unseen]
        verdict = compare(log_losses(before, came), log_losses(after, came), rows.hour[unseen])
        curves = reliability_curve(after, came), reliability_curve(before, came)
        fits.append(ConfidenceFit(name, knots, verdict, *curves))
    return fits


def confidence_knots(size: Floats, right: NDArray[np.bool_]) -> Knots:
    """Return the knots of conf over |z| f8[n] from whether each was right bool[n], at most `MAX_KNOTS`."""
    places, fitted = isotonic(np.round(size, 9), right.astype(np.float64))
    ends = step_ends(fitted)
    if len(ends) > MAX_KNOTS:
        ends = ends[np.unique(np.round(np.linspace(0, len(ends) - 1, MAX_KNOTS)).astype(np.int64))]
    return knots_of(places[ends], np.maximum(2.0 * fitted[ends] - 1.0, 0.0))


def confidence(size: Floats, knots: Knots) -> Floats:
    """Return conf of |z| under knots, without any the present form."""
    return at_knots(size, knots) if knots else np.asarray(np.tanh(0.5 * size))


def _right(conf: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * conf)
