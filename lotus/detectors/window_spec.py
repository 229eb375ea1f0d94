"""The row of one 5 s window: raw context, cycle phase and every detector's signal, before any table or belief.

Only the layout belongs here; `window_step` computes it. Nulls are NaN (`mid2`: 0).
Float columns, then `s_<detector>` in [-1, 1] and `uncert_<detector>` (variance over K = 4 jittered siblings):

vol           bps per sqrt(minute), realised over the last 5 min; null before 1 min
rv            rv_bps of the closing frame (half-life 30 s), the volatility whose surprise is kr_hbar
mx_evidence, mx_confirm   of the closing frame
depth_slope, funding, basis   of the closing frame; oi: open interest, base units
imbalance, spread   means of imb_5 and spread_bps over the window; spread_close: spread_bps of the closing frame
session       of the window's start; flow: signed taker USD / USD over 1 min, null without a trade
trend         5 min return / (vol sqrt(5)); null before 5 min
phase_cos, phase_sin   of the dominant cycle (cos = 1 at a crest, sin = 1 while falling); null before 2 min
"""

from typing import Final

INT_NAMES: Final = ("asset", "window_end_ms", "close_recv_ns", "close_seq", "mid2", "quality", "age")
(W_ASSET, W_END, W_RECV, W_SEQ, W_MID2, W_QUALITY, W_AGE) = range(len(INT_NAMES))
N_INTS: Final[int] = len(INT_NAMES)

FLOAT_NAMES: Final = (
    "vol", "rv", "mx_evidence", "mx_confirm", "depth_slope", "imbalance", "oi", "funding", "basis", "spread",
    "session", "flow", "trend", "phase_cos", "phase_sin", "spread_close",
)  # fmt: skip
(
    F_VOL, F_RV, F_MX, F_CONFIRM, F_SLOPE, F_IMBALANCE, F_OI, F_FUNDING, F_BASIS, F_SPREAD, F_SESSION, F_FLOW,
    F_TREND, F_COS, F_SIN, F_SPREAD_CLOSE,
) = range(len(FLOAT_NAMES))  # fmt: skip
F_SIGNAL: Final[int] = len(FLOAT_NAMES)  # first of the signals; uncertainties follow them


def n_floats(n_detectors: int) -> int:
    """Return the width of a float row."""
    return F_SIGNAL + 2 * n_detectors
