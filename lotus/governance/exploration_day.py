"""EXPLORATION_PLAN: what exploring would have cost and taught on a day, by floor, and the floors that a night decided.

A row is a detector's. The propensity that a window would have without a floor is the logistic of its logged logit; of
one that is held at a floor by its detector's stage of life it is 0. The realised cost is unbiased whatever was drawn:
sum A (1 - pi_.02 / pi)(lambda - Y). (Literature: importance weighting, cost of exploration.)
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.detectors.curators import LEAST_EPSILON, MOST_EPSILON
from lotus.governance.explorer import GRID, ExplorationPlan, ExploredDetector

Columns = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
LAMBDA_BPS: Final = 0.0  # what a publication has to earn
_AS_LOGGED: Final = 1e-9
_SUMS: Final = ("windows", "signals", "sum_p", "sum_p2", "block_squares", "sum_h", "loss", "hbar", "gross", "realised")
_BY_FLOOR: Final = tuple(f"{kind}_{round(1000 * e):03d}" for kind in ("h", "cost") for e in GRID)

EXPLORATION_PLAN: Final = TableSpec(
    "exploration_plan",
    ("detector_id",),
    (
        Column("detector_id", "text", "", "detector"),
        Column("epsilon", "f8", "1", "floor of the propensity decided", low=0.0, high=0.1),
        Column("power", "f8", "1", "chance of a lesson of .25 sd on 12 % of the windows in 20 days", low=0, high=1),
        Column("voi_bps", "f8", "bps", "what knowing is worth at the floor, 20 days"),
        Column("cost_bps", "f8", "bps", "what the floor costs, 20 days, foretold"),
        Column("budget_bps", "f8", "bps", "of all detectors and proposals together, 20 days"),
        Column("experiment_share", "f8", "1", "of the windows that experiments on proposals may draw", low=0, high=1),
        Column("windows", "f8", "windows", "of the day that were eligible"),
        Column("signals", "f8", "windows", "those with a payoff P"),
        Column("sum_p", "f8", "bps", "sum of P"),
        Column("sum_p2", "f8", "bps^2", "sum of P^2"),
        Column("block_squares", "f8", "bps^2", "sum over six-hour blocks of squared sums of demeaned scores"),
        Column("sum_h", "f8", "1", "sum of overlap weights as drawn"),
        Column("loss", "f8", "bps", "sum of max(0, lambda - b(u))"),
        Column("hbar", "f8", "1", "sum of surprise over its windows"),
        Column("gross", "f8", "bps", "move with the signal, published windows, before costs"),
        Column("realised", "f8", "bps", "cost of exploring beyond a floor of .02, unbiased"),
        *(Column(name, "f8", "1" if name[0] == "h" else "bps", "at this floor, in thousandths") for name in _BY_FLOOR),
    ),
)


def free_propensity(
    pi: Floats, ln_sigma: Floats, tau: Floats, temperature: Floats, gate: Floats, floor: Floats, most: Floats
) -> Floats:  # fmt: skip
    """Return the propensity [n] without a floor; `floor` that of each window's detector, `most` with field braids."""
    is_step = temperature <= 0.0
    z = (ln_sigma - np.log(np.maximum(tau, 1e-300))) / np.where(is_step, 1.0, temperature) + gate
    free = 1.0 / (1.0 + np.exp(-np.clip(z, -700.0, 700.0)))
    is_free = np.abs(np.clip(free, floor, 1.0 - floor) - pi) <= _AS_LOGGED
    held = np.where(pi <= np.minimum(np.maximum(most, floor), MOST_EPSILON) + _AS_LOGGED, np.minimum(free, pi), pi)
    held = np.where(np.abs(pi - floor) <= _AS_LOGGED, np.minimum(held, LEAST_EPSILON), held)
    return np.where(is_step, pi, np.where(is_free, free, held))


def day_sums(windows: Columns, detectors: Sequence[str]) -> dict[str, Floats]:
    """Return `_SUMS` and the sums by floor of each detector, [D]; nulls of payoffs count nothing.

    `windows`: detector (place), pi, free, published, level, paper, executed, move (with the signal), hbar, h, f, block.
    """
    place, count = np.asarray(windows["detector"], np.int64), len(detectors)

    def total(values: Floats) -> Floats:
        return np.asarray(np.bincount(place, np.nan_to_num(values), count)[:count], np.float64)

    names = ("pi", "free", "level", "paper", "executed", "move", "hbar", "h", "f")
    pi, free, level, paper, executed, move, hbar, h, f = (np.asarray(windows[n], np.float64) for n in names)
    published = np.asarray(windows["published"], np.bool_)
    least = np.clip(free, LEAST_EPSILON, 1.0 - LEAST_EPSILON)
    loss = np.maximum(0.0, LAMBDA_BPS - np.nan_to_num(level))
    mean = np.divide(total(f), total(h), out=np.zeros(count), where=total(h) > 0.0)
    block = np.asarray(windows["block"], np.int64)
    sums = np.bincount(place * 4 + block, f - mean[place] * h, 4 * count).reshape(count, 4)
    paid = np.where(np.isfinite(executed), executed, paper)
    out = {
        "windows": total(np.ones(len(pi))), "signals": total(np.isfinite(paper) * 1.0), "sum_p": total(paper),
        "sum_p2": total(paper * paper), "block_squares": (sums * sums).sum(axis=1) * 4.0 / 3.0, "sum_h": total(h),
        "loss": total(loss), "hbar": total(hbar), "gross": total(np.where(published, move, 0.0)),
        "realised": total(np.where(published, (1.0 - least / np.maximum(pi, 1e-12)) * (LAMBDA_BPS - paid), 0.0)),
    }  # fmt: skip
    for k, epsilon in enumerate(GRID):
        at = np.clip(free, epsilon, 1.0 - epsilon)
        out[_BY_FLOOR[k]] = total(at * (1.0 - at))
        out[_BY_FLOOR[k + len(GRID)]] = total((at - least) * loss)
    return out


def explored(
    days: Sequence[Mapping[str, Floats]], detectors: Sequence[str], before: Mapping[str, float]
) -> list[ExploredDetector]:
    """Return the detectors over days of sums (each [D] in their order); `before`: their floors last night."""
    whole = {name: sum((day[name] for day in days), np.zeros(len(detectors))) for name in (*_SUMS, *_BY_FLOOR)}
    n = np.maximum(whole["signals"], 1.0)
    sd = np.sqrt(np.maximum(0.0, whole["sum_p2"] / n - (whole["sum_p"] / n) ** 2))
    s = np.sqrt(np.divide(whole["block_squares"], whole["sum_h"], out=np.zeros(len(n)), where=whole["sum_h"] > 0.0))
    curves = [np.stack([whole[name] for name in part], axis=1) for part in (_BY_FLOOR[:17], _BY_FLOOR[17:])]
    return [
        ExploredDetector(
            name, curves[0][d], curves[1][d], float(sd[d]), float(s[d]), before.get(name, LEAST_EPSILON),
            int(whole["windows"][d]), float(whole["loss"][d] / max(whole["windows"][d], 1.0)),
        )
        for d, name in enumerate(detectors)
    ]  # fmt: skip


def plan_rows(
    detectors: Sequence[str], plan: ExplorationPlan, today: Mapping[str, Floats]
) -> dict[str, NDArray[np.generic]]:
    """Return the rows of a night, in the order of the detectors."""
    many = len(detectors)
    columns: dict[str, object] = {
        "detector_id": list(detectors), "epsilon": plan.epsilon, "power": plan.power, "voi_bps": plan.voi_bps,
        "cost_bps": plan.cost_bps, "budget_bps": [plan.budget_bps] * many,
        "experiment_share": [plan.experiment_share] * many, **today,
    }  # fmt: skip
    return {n: np.array(columns[n], dtype=EXPLORATION_PLAN.numpy_dtype(n)) for n in EXPLORATION_PLAN.names}


def sums_of(rows: Columns, detectors: Sequence[str]) -> dict[str, Floats]:
    """Return the sums of a stored night in the order of detectors; 0 of one that it does not know."""
    place = {name: k for k, name in enumerate(rows["detector_id"].tolist())}
    at = np.array([place.get(name, -1) for name in detectors], np.int64)
    return {
        name: np.where(at >= 0, np.asarray(rows[name], np.float64)[at], 0.0) if len(place) else np.zeros(len(at))
        for name in (*_SUMS, *_BY_FLOOR)
    }
