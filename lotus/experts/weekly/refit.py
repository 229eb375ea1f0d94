"""Weekly refit of the fusion: weights by ridge logistic regression, evidence by isotonic calibration, out of sample.

Rows are windows: z of every expert (null = 0, says nothing) and whether the mid was higher or lower a short horizon
later (no move = no row). Days are cut in three in their order. Two proposals are made over the experts that are active:
`weights` (fitted on the first part, calibrated on the second) and `calibration` (present weights, calibrated on both).
Each is compared with what is in force on the third part, which it has not seen; of those that are better the one that
gains more wins, and what does not win is refused with its numbers. A set that is no better than knowing nothing (ln 2)
is taken up too when what is in force is worse. There is no intercept and the calibration is symmetric, so that a market
turned upside down gets the opposite evidence. Weights are never negative: an expert that is wrong is switched off, not
believed in reverse.
Literature: naive Bayes with shrunk weights; pool adjacent violators (M. Ayer et al., 1955).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.fusion import Knots
from lotus.experts.weekly.verdict import RefitVerdict, compare, log_losses
from lotus.hashing import round_learned

RIDGE: Final[float] = 10.0  # of the penalty RIDGE/2 sum w^2 on the summed log loss
STEPS: Final[int] = 100  # Newton steps at most
TOLERANCE: Final[float] = 1e-10
MAX_KNOTS: Final[int] = 32
CURVE_BINS: Final[int] = 10
SHARES: Final = (0.6, 0.8)  # of the days: where calibration begins, where judgement begins
MIN_ROWS: Final[int] = 200  # in each part

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One bin of a reliability curve: mean predicted probability, observed share, rows."""

    said: float
    came: float
    rows: int


Curve = tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RefitRows:
    """Windows with an outcome: z f8[n, experts], up bool[n], the number of the day, the hour and `fired` i8[n]."""

    z: Floats
    up: Flags
    day: Ints
    hour: Ints
    fired: Ints

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.up)

    def parts(self) -> tuple[Flags, Flags, Flags]:
        """Return the rows to fit, to calibrate and to judge by: the days in their order, cut at `SHARES`."""
        days = np.unique(self.day)
        first, second = (days[min(len(days) - 1, int(share * len(days)))] if len(days) else 0 for share in SHARES)
        return self.day < first, (self.day >= first) & (self.day < second), self.day >= second


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """A proposal: weights f8[experts], knots of the evidence, its reliability curve and verdict on unseen days."""

    kind: str
    weights: Floats
    evidence: Knots
    curve: Curve
    verdict: RefitVerdict


@dataclass(frozen=True, slots=True, eq=False)
class Refits:
    """All proposals in their order, and the reliability curve of what is in force on the same unseen days."""

    proposals: tuple[Refit, ...]
    curve_in_force: Curve

    @property
    def winner(self) -> Refit | None:
        """Of the proposals that are better the one that gains most."""
        better = [r for r in self.proposals if r.verdict.is_better]
        return max(better, key=lambda r: r.verdict.gain, default=None)


def refit(rows: RefitRows, weights: Floats, evidence: Knots, active: Flags) -> Refits:
    """Return the proposals over the experts that are `active` bool[experts]; `weights` and `evidence` are in force.

    An expert that is not active has weight 0 in every comparison. Raises `SchemaError` when a part has fewer than
    `MIN_ROWS` rows.
    """
    x = np.where(np.isfinite(rows.z), rows.z, 0.0) * active
    fit, tune, judge = rows.parts()
    counts = tuple(int(part.sum()) for part in (fit, tune, judge))
    if min(counts) < MIN_ROWS:
        raise SchemaError(f"{counts} rows to fit, calibrate and judge", f"{MIN_ROWS} each", "fewer than three days")
    fitted = np.zeros(len(active))
    fitted[active] = round_learned(ridge_logistic(x[fit][:, active], rows.up[fit]))
    before = at_knots(_logistic(x[judge] @ weights), evidence)
    lost = log_losses(before, rows.up[judge])
    proposals = []
    for kind, w, part in (("weights", fitted, tune), ("calibration", weights, fit | tune)):
        raw = _logistic(x @ w)
        knots = symmetric_knots(raw[part], rows.up[part])
        promised = at_knots(raw[judge], knots)
        verdict = compare(lost, log_losses(promised, rows.up[judge]), rows.hour[judge])
        proposals.append(Refit(kind, w, knots, reliability_curve(promised, rows.up[judge]), verdict))
    return Refits(tuple(proposals), reliability_curve(before, rows.up[judge]))


def ridge_logistic(x: Floats, up: NDArray[np.bool_], ridge: float = RIDGE) -> Floats:
    """Return w >= 0 that minimise sum log(1 + exp(-y x w)) + ridge/2 |w|^2 over x f8[n, k], y = +-1.

    Newton steps on the free weights; those that would be negative are put to 0 and freed again where the slope asks.
    """
    free, w = np.ones(x.shape[1], np.bool_), np.zeros(x.shape[1])
    for _ in range(2 * x.shape[1] + 2):
        w = np.zeros(x.shape[1])
        w[free] = _newton(x[:, free], up, ridge)
        slope = x.T @ (_logistic(x @ w) - up) + ridge * w
        wrong = (free & (w < 0.0)) | (~free & (slope < -1e-6))
        if not wrong.any():
            break
        free ^= wrong if (free & wrong).any() else wrong & (slope == slope[wrong].min())
    return np.maximum(w, 0.0)


def _newton(x: Floats, up: NDArray[np.bool_], ridge: float) -> Floats:
    w = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = _logistic(x @ w)
        slope = x.T @ (p - up) + ridge * w
        curve = (x * (p * (1.0 - p))[:, None]).T @ x + ridge * np.eye(len(w))
        step = np.linalg.solve(curve, slope)
        w = w - step
        if np.abs(step).max(initial=0.0) < TOLERANCE:
            break
    return w


def isotonic(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return the rising step function nearest to y at x (least squares): sorted distinct x and fitted values."""
    places, where = np.unique(x, return_inverse=True)
    weight = np.bincount(where).astype(np.float64)
    value = np.bincount(where, y) / weight
    blocks: list[list[float]] = []  # value, weight, places
    for v, w in zip(value.tolist(), weight.tolist(), strict=True):
        blocks.append([v, w, 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            last = blocks.pop()
            both = blocks[-1][1] + last[1]
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + last[0] * last[1]) / both, both, blocks[-1][2] + last[2]]
    fitted = np.repeat([b[0] for b in blocks], [int(b[2]) for b in blocks])
    return places, fitted


def symmetric_knots(raw: Floats, up: Flags) -> Knots:
    """Return the knots of the isotonic fit of `up` on raw evidence in (0, 1), with p(1 - e) = 1 - p(e).

    Every row counts once as it is and once mirrored. Of the steps' ends at most `MAX_KNOTS` are kept, evenly.
    """
    x = np.concatenate([raw, 1.0 - raw])
    places, fitted = isotonic(np.round(x, 9), np.concatenate([up, ~up]).astype(np.float64))
    ends = step_ends(fitted)
    if len(ends) > MAX_KNOTS:
        half = np.unique(np.round(np.linspace(0, (len(ends) - 1) / 2, MAX_KNOTS // 2)).astype(np.int64))
        ends = ends[np.unique(np.concatenate([half, len(ends) - 1 - half]))]
    return knots_of(places[ends], fitted[ends])


def step_ends(fitted: Floats) -> Ints:
    """Return the first and last place of every step of a fitted step function."""
    rises = np.diff(fitted) > 0
    return np.flatnonzero(np.concatenate([[True], rises]) | np.concatenate([rises, [True]]))


def knots_of(places: Floats, values: Floats) -> Knots:
    """Return knots as they are stored: nine significant digits."""
    return tuple(zip(round_learned(places).tolist(), round_learned(values).tolist(), strict=True))


def at_knots(raw: Floats, knots: Knots) -> Floats:
    """Return the calibrated evidence: the line through the knots, flat outside them; without knots as it is."""
    if not knots:
        return raw
    return np.asarray(np.interp(raw, [x for x, _ in knots], [y for _, y in knots]))


def reliability_curve(promised: Floats, up: Flags, bins: int = CURVE_BINS) -> Curve:
    """Return the points of `bins` equal ranges of predicted probability that have rows."""
    place = np.minimum((promised * bins).astype(np.int64), bins - 1)
    bins_of = [place == k for k in range(bins)]
    return tuple(CurvePoint(float(promised[m].mean()), float(up[m].mean()), int(m.sum())) for m in bins_of if m.any())


def directions(
    mid: Sequence[Floats], closing: Sequence[NDArray[np.int64]], unbroken: Sequence[NDArray[np.int64]], horizon: int
) -> list[Floats]:
    """Return per asset what became of each window: 1.0 up, 0.0 down, NaN for no move, a gap or no later frame.

    mid f8[n] of all frames, closing i8[m] rows that close a window, unbroken i8[n] life of every frame (a number that
    changes at each gap), `horizon` in frames.
    """
    out = []
    for values, rows, life in zip(mid, closing, unbroken, strict=True):
        later = np.minimum(rows + horizon, len(values) - 1)
        same = (rows + horizon < len(values)) & (life[later] == life[rows])
        move = np.where(same, values[later] - values[rows], np.nan)
        out.append(np.where(move > 0.0, 1.0, np.where(move < 0.0, 0.0, np.nan)))
    return out


def _logistic(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0))))
