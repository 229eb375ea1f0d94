"""The row of one 5 s window: raw context, cycle phase and every detector's signal, before any table or belief; and the
columns that a detector's `windows:` expressions may name, with their units.

Only the layout belongs here; `step` computes it. Nulls are NaN (`mid2`: 0).
Float columns, then `s_<detector>` in [-1, 1] and `uncert_<detector>` (variance over K = 4 jittered siblings):

vol           bps per sqrt(minute), realised over the last 5 min; null before 1 min
rv            rv_bps of the closing frame (half-life 30 s), the volatility whose surprise is kr_hbar
mx_evidence, mx_confirm   of the closing frame
depth_slope, funding, basis   of the closing frame; oi: open interest, base units
imbalance, spread   means of imb_5 and spread_bps over the window; spread_close: spread_bps of the closing frame
session       of the window's start; flow: signed taker USD / USD over 1 min, null without a trade
trend         5 min return / (vol sqrt(5)); null before 5 min
phase_cos, phase_sin   of the dominant cycle (cos = 1 at a crest, sin = 1 while falling); null before 2 min

Columns that only expressions see, beside those and every column of the closing frame:
age           windows since birth, 0 for the first; high, low: largest and smallest mid of the window's frames
micro         mean of micro_drift_bps; signed_usd, traded_usd: taker USD of the window, signed by the taker and total
sweeps_up, sweeps_down   frames of the window with a sweep of that side
"""

from typing import Final

from lotus.microtape.frames import spec as frame
from lotus.tape_machine.environment import InputColumn, frame_columns

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

# columns of the table that window expressions run on: those of a row, the ones below, the closing frame, frame values
WINDOW_UNITS: Final[dict[str, str]] = {
    "vol": "bps/sqrt(min)", "rv": "bps/sqrt(min)", "mx_evidence": "1", "mx_confirm": "flag", "depth_slope": "1/bps",
    "imbalance": "1", "oi": "coins", "funding": "bps/h", "basis": "bps", "spread": "bps", "session": "1", "flow": "1",
    "trend": "sigma", "phase_cos": "1", "phase_sin": "1", "spread_close": "bps",
    "age": "step", "high": "ticks", "low": "ticks", "micro": "bps", "signed_usd": "USD", "traded_usd": "USD",
    "sweeps_up": "1", "sweeps_down": "1",
}  # fmt: skip
(T_AGE, T_HIGH, T_LOW, T_MICRO, T_SIGNED, T_TRADED, T_UPS, T_DOWNS) = range(F_SIGNAL, len(WINDOW_UNITS))
T_FRAME: Final[int] = len(WINDOW_UNITS)  # first column of the closing frame
T_VALUES: Final[int] = T_FRAME + frame.N_FLOATS  # first of the detectors' own frame values


def n_floats(n_detectors: int) -> int:
    """Return the width of a float row."""
    return F_SIGNAL + 2 * n_detectors


def window_columns() -> dict[str, InputColumn]:
    """Return every column that window expressions may name: the window's own, then the closing frame's others."""
    columns: dict[str, InputColumn] = {}
    for index, (name, unit) in enumerate(WINDOW_UNITS.items()):
        columns[name] = InputColumn(index, "1", "flag") if unit == "flag" else InputColumn(index, unit)
    for name, column in frame_columns().items():
        if name not in columns:
            columns[name] = InputColumn(T_FRAME + column.index, column.unit, column.kind)
    return columns
