"""Weekly refit of the fusion: weights by ridge logistic regression, evidence by isotonic calibration, out of sample.

Rows are windows: z of every expert (null = 0, says nothing) and whether the mid was higher or lower a short horizon
later (no move = no row). Days are cut in three in their order: weights are fitted on the first, the calibration on the
second, and both are judged on the third, which neither has seen. There is no intercept and the calibration is
symmetric, so that a market turned upside down gets the opposite evidence. Weights are never negative: an expert that is
wrong is switched off, not believed in reverse. Nothing here is in force: a proposal is what it returns.
Literature: naive Bayes with shrunk weights; pool adjacent violators (M. Ayer et al., 1955).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.errors import SchemaError
from lotus.experts.fusion import Knots
from lotus.hashing import natural_id, round_learned

RIDGE: Final[float] = 10.0  # of the penalty RIDGE/2 sum w^2 on the summed log loss
STEPS: Final[int] = 100  # Newton steps at most
TOLERANCE: Final[float] = 1e-10
MAX_KNOTS: Final[int] = 32
CURVE_BINS: Final[int] = 10
SHARES: Final = (0.6, 0.8)  # of the days: where calibration begins, where judgement begins
MIN_ROWS: Final[int] = 200  # in each part

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One bin of a reliability curve: mean evidence, share that went up, rows."""

    said: float
    came: float
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class Refit:
    """A proposal: weights f8[experts], knots of the evidence, and how it did on the days that it had not seen.

    Losses are mean log losses of up and down: of the proposal, of the weights in force, of 1/2 (ln 2).
    """

    weights: Floats
    evidence: Knots
    curve: tuple[CurvePoint, ...]
    rows: tuple[int, int, int]
    loss: float
    loss_in_force: float

    @property
    def version(self) -> str:
        """128-bit identity of what is proposed."""
        return natural_id("fusion-weights", *self.weights.tolist(), "knots", *(v for k in self.evidence for v in k))

    @property
    def is_better(self) -> bool:
        """Whether it beat the weights in force, and knowing nothing, on unseen days."""
        return self.loss < min(self.loss_in_force, float(np.log(2.0)))


def refit(z: Floats, up: NDArray[np.bool_], day: NDArray[np.int64], in_force: Floats) -> Refit:
    """Return the proposal from z f8[n, experts], up bool[n] and the day number of every row.

    `in_force` f8[experts]: present weights; an expert whose weight is 0 is fitted like any other. Raises `SchemaError`
    when a part has fewer than `MIN_ROWS` rows.
    """
    x = np.where(np.isfinite(z), z, 0.0)
    first, second = _cuts(day)
    fit, calibrate, judge = day < first, (day >= first) & (day < second), day >= second
    rows = tuple(int(part.sum()) for part in (fit, calibrate, judge))
    if min(rows) < MIN_ROWS:
        raise SchemaError(f"{rows} rows to fit, calibrate and judge", f"{MIN_ROWS} each", "fewer than three days")
    weights = round_learned(ridge_logistic(x[fit], up[fit]))
    raw = _logistic(x @ weights)
    knots = symmetric_knots(raw[calibrate], up[calibrate])
    said = at_knots(raw[judge], knots)
    before = _logistic(x[judge] @ in_force)
    losses = log_loss(said, up[judge]), log_loss(before, up[judge])
    return Refit(weights, knots, reliability_curve(said, up[judge]), (rows[0], rows[1], rows[2]), *losses)


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


def symmetric_knots(raw: Floats, up: NDArray[np.bool_]) -> Knots:
    """Return the knots of the isotonic fit of `up` on raw evidence in (0, 1), with p(1 - e) = 1 - p(e).

    Every row counts once as it is and once mirrored. Of the steps' ends at most `MAX_KNOTS` are kept, evenly.
    """
    x = np.concatenate([raw, 1.0 - raw])
    places, fitted = isotonic(np.round(x, 9), np.concatenate([up, ~up]).astype(np.float64))
    ends = np.flatnonzero(np.concatenate([[True], np.diff(fitted) > 0]) | np.concatenate([np.diff(fitted) > 0, [True]]))
    if len(ends) > MAX_KNOTS:
        half = np.unique(np.round(np.linspace(0, (len(ends) - 1) / 2, MAX_KNOTS // 2)).astype(np.int64))
        ends = ends[np.unique(np.concatenate([half, len(ends) - 1 - half]))]
    pairs = zip(round_learned(places[ends]).tolist(), round_learned(fitted[ends]).tolist(), strict=True)
    return tuple((float(a), float(b)) for a, b in pairs)


def at_knots(raw: Floats, knots: Knots) -> Floats:
    """Return the calibrated evidence: the line through the knots, flat outside them."""
    return np.asarray(np.interp(raw, [x for x, _ in knots], [y for _, y in knots]))


def reliability_curve(said: Floats, up: NDArray[np.bool_], bins: int = CURVE_BINS) -> tuple[CurvePoint, ...]:
    """Return the points of `bins` equal ranges of what was said that have rows."""
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    mine = [place == k for k in range(bins)]
    return tuple(CurvePoint(float(said[m].mean()), float(up[m].mean()), int(m.sum())) for m in mine if m.any())


def log_loss(said: Floats, up: NDArray[np.bool_]) -> float:
    """Return the mean log loss of probabilities of up, kept within [1e-6, 1 - 1e-6]."""
    p = np.clip(said, 1e-6, 1.0 - 1e-6)
    return float(-np.mean(np.where(up, np.log(p), np.log(1.0 - p))))


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


def _cuts(day: NDArray[np.int64]) -> tuple[int, int]:
    days = np.unique(day)
    first, second = (days[min(len(days) - 1, int(share * len(days)))] if len(days) else 0 for share in SHARES)
    return int(first), int(second)


def _logistic(x: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -700.0, 700.0))))
