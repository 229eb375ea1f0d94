"""Weekly refit of the weights of asymmetry: which components foretell that the next hour goes one way, and far.

A row is a window with an outcome, y whether the larger excursion of the next hour is at least 3 times the smaller one
and at least its asset's 80 % point of these days. Proposals are the fitted weights and the shipped ones. Each is judged
forward: fitted on the first half of the days and judged on the third quarter, fitted on the first three quarters and
judged on the last, every time through a line of its own through its sum, slope and intercept of the days seen; log
losses are paired by day with what is in force. What does not win changes nothing; what wins is the later fit. Fitted
weights keep the mean of the shipped sum, so that budgets that the score scales stay where they were on average, and
each stays in [0, 1]: what is fitted is how much a component counts against the others.
Literature: ridge logistic regression (`lotus.experts.weekly.refit`), rolling-origin evaluation, Diebold-Mariano by day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.meta_signals import MEASURED
from lotus.detectors.meta_signals_step import WEIGHT
from lotus.errors import SchemaError
from lotus.experts.weekly.refit import ridge_logistic
from lotus.experts.weekly.verdict import MIN_BLOCKS, RefitVerdict, compare, log_losses
from lotus.hashing import round_learned
from lotus.timebase import DAY_MS

HORIZON_S: Final = 3600
EVERY_MS: Final = 300_000  # from one row of an asset to its next: windows in between say almost the same
FIT_DAYS: Final = 28
FOLDS: Final = (0.5, 0.75, 1.0)  # of the days: up to each a fit, from there to the next its judgement
ONE_SIDED: Final = 3.0  # larger over smaller excursion
FAR: Final = 0.8  # quantile of the larger one
SHIPPED: Final = (WEIGHT,) * len(MEASURED)
COLUMNS: Final = ("z_oi", "z_f", "z_b", "z_d", "z_w")

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class AsymmetryRows:
    """Windows with an outcome: components z f8[n, 5] (0 = absent), excursions f8[n] in bps, day and asset i8[n]."""

    z: Floats
    larger: Floats
    smaller: Floats
    day: Ints
    asset: Ints

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.larger)

    def one_sided(self) -> Flags:
        """Return y bool[n]: the next hour went one way, and far for its asset."""
        out = np.zeros(len(self), np.bool_)
        for asset in np.unique(self.asset):
            own = self.asset == asset
            far = self.larger[own] >= np.quantile(self.larger[own], FAR)
            out[own] = far & (self.larger[own] >= ONE_SIDED * self.smaller[own])
        return out


@dataclass(frozen=True, slots=True)
class AsymmetryProposal:
    """Weights of the components, in their order, and how they did on unseen days against those in force."""

    kind: str
    weights: tuple[float, ...]
    verdict: RefitVerdict


def asymmetry_rows(
    asset: Ints, end_ms: Ints, z: Floats, outcome_asset: Ints, outcome_end_ms: Ints, best: Floats, worst: Floats
) -> AsymmetryRows:
    """Return the rows that cues and outcomes share; an outcome's detector plays no part, one of a window is enough.

    `asset`, `end_ms` i8[n], `z` f8[n, 5] of cues; `best` >= 0 >= `worst` f8[m], bps, of outcomes, NaN without one.
    """
    has_outcome = np.isfinite(best) & np.isfinite(worst) & (outcome_end_ms % EVERY_MS == 0)
    keys, first = np.unique(
        np.stack([outcome_asset[has_outcome], outcome_end_ms[has_outcome]]), axis=1, return_index=True
    )
    place = dict(zip(zip(*keys.tolist(), strict=True), first.tolist(), strict=True))
    cues = np.flatnonzero(end_ms % EVERY_MS == 0)
    pairs = [place.get(key, -1) for key in zip(asset[cues].tolist(), end_ms[cues].tolist(), strict=True)]
    at = np.array(pairs, np.int64)
    rows, up, down = cues[at >= 0], best[has_outcome][at[at >= 0]], -worst[has_outcome][at[at >= 0]]
    return AsymmetryRows(z[rows], np.maximum(up, down), np.minimum(up, down), end_ms[rows] // DAY_MS, asset[rows])


def refit_weights(rows: AsymmetryRows, in_force: Sequence[float]) -> tuple[AsymmetryProposal, ...]:
    """Return the proposals, fitted and shipped weights, without the one that is in force.

    Raises `SchemaError` where fewer than six days are left to judge by, or y is the same everywhere.
    """
    days, y = np.unique(rows.day), rows.one_sided()
    held = tuple(float(w) for w in in_force)
    losses: dict[str, list[Floats]] = {"in force": [], "fitted": [], "shipped": []}
    judged, fitted = [], SHIPPED
    for begin, end in pairwise(FOLDS):
        first, stop = (int(share * len(days)) for share in (begin, end))
        seen, unseen = np.isin(rows.day, days[:first]), np.isin(rows.day, days[first:stop])
        if not (unseen.any() and y[seen].any() and not y[seen].all()):
            found = f"{int(y[seen].sum())} one-sided hours of {int(seen.sum())}, {int(unseen.sum())} later ones"
            raise SchemaError(found, "some, not all, and later ones")
        fitted = _at_shipped_scale(ridge_logistic(_with_level(rows.z[seen]), y[seen])[: len(SHIPPED)], rows.z[seen])
        for kind, w in (("in force", held), ("fitted", fitted), ("shipped", SHIPPED)):
            losses[kind].append(_losses(rows.z, y, w, seen, unseen))
        judged.append(rows.day[unseen])
    day = np.concatenate(judged)
    if len(np.unique(day)) < MIN_BLOCKS:
        raise SchemaError(f"{len(days)} days, {len(np.unique(day))} to judge by", f"{MIN_BLOCKS} to judge by")
    lost = np.concatenate(losses["in force"])
    return tuple(
        AsymmetryProposal(kind, w, compare(lost, np.concatenate(losses[kind]), day))
        for kind, w in (("fitted", fitted), ("shipped", SHIPPED))
        if any(w) and w != held
    )


def winner(proposals: Sequence[AsymmetryProposal]) -> AsymmetryProposal | None:
    """Return of the proposals that are better than what is in force the one that gains most."""
    better = [one for one in proposals if one.verdict.is_better]
    return max(better, key=lambda one: one.verdict.gain, default=None)


def gain_on(rows: AsymmetryRows, weights: Sequence[float], in_force: Sequence[float]) -> float:
    """Return the mean gain in log loss on the very rows that the lines are fitted on: what no verdict may rest on."""
    y, every = rows.one_sided(), np.ones(len(rows), np.bool_)
    before, after = (_losses(rows.z, y, tuple(w), every, every) for w in (in_force, weights))
    return float((before - after).mean())


def _at_shipped_scale(w: Floats, z: Floats) -> tuple[float, ...]:
    """Return weights in [0, 1] whose sum has the shipped one's mean, where the upper end allows it."""
    mean = float((z @ w).mean())
    wanted = float((z @ np.array(SHIPPED)).mean())
    scaled = np.clip(w * (wanted / mean), 0.0, 1.0) if mean > 0.0 else np.zeros(len(w))
    return tuple(round_learned(scaled).tolist())


def _losses(z: Floats, y: Flags, w: Sequence[float], seen: Flags, unseen: Flags) -> Floats:
    """Return the log losses on unseen rows of the line through the sum of `w`, fitted on seen ones."""
    x = _with_level((z @ np.array(w))[:, None])
    line = round_learned(ridge_logistic(x[seen], y[seen]))
    return log_losses(1.0 / (1.0 + np.exp(-(x[unseen] @ line))), y[unseen])


def _with_level(x: Floats) -> Floats:
    """Return columns with an intercept of either sign: two columns, because weights are never negative."""
    one = np.ones((len(x), 1))
    return np.concatenate([x, one, -one], axis=1)
