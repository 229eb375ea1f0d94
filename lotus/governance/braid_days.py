"""BRAID_DAYS: what each lesson in force promised on a learning day, and what its windows then paid.

D and H are the sums of demeaned scores and of overlap weights in the rule, at the propensity without braids, as the
watchdog's monitor takes them: a braid's own patch does not change its judge. D / H is the realised effect of the day,
beside the claim of its lesson. Nothing is judged here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.hashing import round_learned
from lotus.learning.monitor import unpatched_blocks
from lotus.learning.rows import DetectorRows
from lotus.weave.braid import Braid, believed

Columns = Mapping[str, NDArray[np.generic]]
MIN_DAYS: Final = 5
P05: Final = 0.95  # level of the one-sided bound of the light

BRAID_DAYS: Final = TableSpec(
    "braid_days",
    ("braid_id",),
    (
        Column("braid_id", "text", "", "micro braid in force on the day"),
        Column("detector_id", "text", "", "detector that it acts on"),
        Column("claim_bps", "f8", "bps", "what its lesson claims a window of the rule pays more, as a size", low=0),
        Column("gain_bps", "f8", "bps", "D: demeaned scores of the day in the rule, in the direction of the claim"),
        Column("weight", "f8", "", "H: overlap weight of the day in the rule", low=0),
    ),
)


@dataclass(frozen=True, slots=True)
class CrossingZero:
    """A lesson whose realised effect is no longer shown to be above zero: a light, never a reason to revert.

    `mean_bps` is sum D / sum H over `days` days, `p05_bps` its one-sided lower 95 % bound over days.
    """

    braid_id: str
    detector_id: str
    mean_bps: float
    p05_bps: float
    days: int


def braid_days(board: Sequence[Braid], today: Mapping[str, DetectorRows]) -> dict[str, NDArray[np.generic]]:
    """Return the rows of a day in key order, of the board as it was in force on it; none without a window in the rule.

    `today` holds the scored windows that matured on the day, by detector.
    """
    rows = []
    for braid in sorted(board, key=lambda b: b.braid_id):
        windows = today.get(braid.detector_id)
        if braid.braid_type != "micro" or not braid.in_force or braid.claim_bps == 0.0 or windows is None:
            continue
        blocks = unpatched_blocks(windows, braid.rule, believed(board, braid.detector_id, (braid.braid_id,)))
        gain, weight, claim = round_learned(
            np.array([braid.sign * blocks.gain.sum(), blocks.weight.sum(), abs(braid.claim_bps)])
        ).tolist()
        if weight > 0.0:
            rows.append((braid.braid_id, braid.detector_id, claim, gain, weight))
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(BRAID_DAYS.names)
    names = BRAID_DAYS.names
    return {n: np.array(list(v), BRAID_DAYS.numpy_dtype(n)) for n, v in zip(names, columns, strict=True)}


def crossing_zero(days: Sequence[Columns]) -> list[CrossingZero]:
    """Return the braids of the last of these days whose realised effect has p05 <= 0 over at least five days.

    The mean is weighted by overlap weight; its bound is Student's over days, residuals D - mean H.
    """
    from scipy.special import stdtrit

    by_braid: dict[str, list[tuple[float, float]]] = {}
    for day in days:
        for name, gain, weight in zip(*(day[c].tolist() for c in ("braid_id", "gain_bps", "weight")), strict=True):
            by_braid.setdefault(name, []).append((gain, weight))
    out = []
    newest = days[-1] if days else {"braid_id": np.array([]), "detector_id": np.array([])}
    for name, detector in zip(newest["braid_id"].tolist(), newest["detector_id"].tolist(), strict=True):
        sums = np.array(by_braid[name])
        n, total = len(sums), float(sums[:, 1].sum())
        if n < MIN_DAYS:
            continue
        mean = float(sums[:, 0].sum()) / total
        left = sums[:, 0] - mean * sums[:, 1]
        se = float(np.sqrt(n / (n - 1) * np.sum(left**2))) / total
        low = mean - float(stdtrit(n - 1, P05)) * se
        if low <= 0.0:
            out.append(CrossingZero(name, detector, mean, low, n))
    return out
