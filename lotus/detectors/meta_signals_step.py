"""One window's budget cues: timing over the detectors that spoke, asymmetry of its asset and of the market before it.

One compiled function serves one window live and a whole day in batch; windows come in the order in which they closed.
Across assets only values of the window before are read, as closed until now. Layouts are here, meaning and table in
`meta_signals`.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus import mathx
from lotus.jit import kernel
from lotus.timebase import Session

RAW: Final = ("x_oi", "x_funding", "x_basis", "x_depth_slope", "x_spread", "x_trend", "x_session", "entrain")
(R_OI, R_FUNDING, R_BASIS, R_SLOPE, R_SPREAD, R_TREND, R_SESSION, R_ENTRAIN) = range(len(RAW))
N_SCALES: Final[int] = R_SPREAD + 1  # the first five have a mean and a deviation

OUT: Final = (
    "ms_kairos", "ms_entrain_r", "ms_uncert", "z_oi", "z_f", "z_b", "z_d", "z_w", "ms_asym_score", "ms_asym_market",
    "ms_asym_breadth",
)  # fmt: skip
(O_KAIROS, O_ENTRAIN, O_UNCERT, O_OI, O_F, O_B, O_D, O_W, O_SCORE, O_MARKET, O_BREADTH) = range(len(OUT))

SLOTS: Final[int] = 4  # windows of each asset kept for the market
MIN_ASSETS: Final[int] = 3
CAP: Final[float] = 5.0  # of a component
EXTREME: Final[float] = 2.0  # from here on a component counts in the breadth
WEIGHT: Final[float] = 0.5  # of every component until weights are fitted
THRESHOLD: Final[float] = 2.0
_WEEKEND: Final[int] = int(Session.WEEKEND)

META_STATE_DTYPE: Final = np.dtype(
    [
        ("closed", "i8", (SLOTS,)),  # window_end_ms of the last closed windows
        ("score", "f8", (SLOTS,)),
        ("extreme", "f8", (SLOTS,)),  # measured components at or above EXTREME
        ("measured", "f8", (SLOTS,)),
    ]
)


@kernel
def run_meta(
    state: NDArray[np.void],
    scales: NDArray[np.float64],
    weights: NDArray[np.float64],
    window_ms: int,
    asset: NDArray[np.int64],
    end_ms: NDArray[np.int64],
    raw: NDArray[np.float64],
    s: NDArray[np.float64],
    kairos: NDArray[np.float64],
    uncert: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    """Fill `out` f8 [n, OUT] of n windows in closing order and keep `state` [A] for the next.

    `scales` f8 [A, N_SCALES, 2]; `weights` f8 [5] of the components; `raw` f8 [n, RAW]; `s`, `kairos`, `uncert`
    f8 [n, D]. Nulls are NaN.
    """
    for i in range(asset.shape[0]):
        at = asset[i]
        row = out[i]
        row[O_KAIROS] = _spoken_mean(s[i], kairos[i])
        row[O_UNCERT] = _spoken_mean(s[i], uncert[i])
        row[O_ENTRAIN] = raw[i, R_ENTRAIN]
        components(raw[i], scales[at], weights, row)
        _market(state, end_ms[i] - window_ms, row)
        _close(state, at, end_ms[i], row)


@kernel
def _spoken_mean(s: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    total = 0.0
    count = 0
    for d in range(s.shape[0]):
        if s[d] != 0.0 and values[d] == values[d]:
            total += values[d]
            count += 1
    return total / count if count > 0 else math.nan


@kernel
def _above(value: float, scale: NDArray[np.float64]) -> float:
    """Return clip((value - centre) / deviation, 0, CAP); null without value or scale."""
    if not scale[1] > 0.0 or value != value:
        return math.nan
    z: float = (value - scale[0]) / scale[1]
    return min(max(z, 0.0), CAP)


@kernel
def components(
    raw: NDArray[np.float64], scales: NDArray[np.float64], weights: NDArray[np.float64], row: NDArray[np.float64]
) -> None:
    """Fill the components and the score of `row` f8 [OUT] from `raw` f8 [RAW] and the asset's `scales`; null is NaN.

    `weights` f8 [5]; equal ones of a power of two give the bits of their product with the plain sum.
    """
    trend = abs(raw[R_TREND])
    row[O_OI] = _above(raw[R_OI], scales[R_OI]) * (trend / (1.0 + trend))
    fuel = raw[R_FUNDING] * raw[R_TREND]
    funding = _above(abs(raw[R_FUNDING]), scales[R_FUNDING])
    row[O_F] = math.nan if fuel != fuel else funding if fuel > 0.0 else 0.0 * funding
    row[O_B] = _above(abs(raw[R_BASIS]), scales[R_BASIS])
    row[O_D] = 0.5 * (_above(raw[R_SLOPE], scales[R_SLOPE]) + _above(raw[R_SPREAD], scales[R_SPREAD]))
    session = raw[R_SESSION]
    row[O_W] = math.nan if session != session else 1.0 if session == _WEEKEND else 0.0
    total = 0.0
    measured = 0
    for k in range(O_OI, O_W + 1):
        if row[k] == row[k]:
            total += weights[k - O_OI] * row[k]
            measured += 1 if k < O_W else 0
    row[O_SCORE] = mathx.logistic(total - THRESHOLD) if measured > 0 else math.nan


@kernel
def _market(state: NDArray[np.void], before_ms: int, row: NDArray[np.float64]) -> None:
    assets = 0
    total = 0.0
    extreme = 0.0
    measured = 0.0
    for a in range(state.shape[0]):
        for slot in range(SLOTS):
            if state[a]["closed"][slot] == before_ms and state[a]["score"][slot] == state[a]["score"][slot]:
                assets += 1
                total += state[a]["score"][slot]
                extreme += state[a]["extreme"][slot]
                measured += state[a]["measured"][slot]
    row[O_MARKET] = total / assets if assets >= MIN_ASSETS else math.nan
    row[O_BREADTH] = extreme / measured if assets >= MIN_ASSETS else math.nan


@kernel
def _close(state: NDArray[np.void], at: int, end_ms: int, row: NDArray[np.float64]) -> None:
    oldest = 0
    for slot in range(SLOTS):
        if state[at]["closed"][slot] < state[at]["closed"][oldest]:
            oldest = slot
    extreme = 0.0
    measured = 0.0
    for k in range(O_OI, O_W):
        if row[k] == row[k]:
            measured += 1.0
            extreme += 1.0 if row[k] >= EXTREME else 0.0
    state[at]["closed"][oldest] = end_ms
    state[at]["score"][oldest] = row[O_SCORE]
    state[at]["extreme"][oldest] = extreme
    state[at]["measured"][oldest] = measured
