"""One frame into the window state, and the window row when the frame closes a window.

The same compiled step serves the live daemon (one frame) and the batch (a loop over frames). A window is emitted only
when all its frames came without a gap and it closed with a quote. No tables, beliefs or scores belong here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.detectors import window_spec as win
from lotus.detectors.families import MIN_WINDOWS, signal
from lotus.experts.annotation_spec import A_CONFIRM, A_EVIDENCE
from lotus.jit import kernel
from lotus.microtape import frame_spec as frame


@kernel
def window_step(
    state: NDArray[np.void],
    blank: NDArray[np.void],
    params: NDArray[np.void],
    families: NDArray[np.int64],
    detector_params: NDArray[np.float64],
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
    annotation: NDArray[np.float64],
    out_ints: NDArray[np.int64],
    out_floats: NDArray[np.float64],
) -> bool:
    """Take one frame row (layout of `frame_spec`) and its annotation; return whether it closed a whole window."""
    at = ints[frame.I_ASSET]
    if state[at]["frames"] > 0 and ints[frame.I_FRAME] != state[at]["frame_idx"] + 1:
        state[at] = blank[0]
    _take_frame(state, at, ints, floats)
    if ints[frame.I_END] % params[0]["window_ms"] != 0:
        return False
    whole: bool = state[at]["count"] == params[0]["frames_per_window"]
    if whole and ints[frame.I_MID2] > 0:
        _close_window(state, at, params, ints, floats)
        _context(state, at, params, floats, out_floats)
        out_floats[win.F_MX] = annotation[A_EVIDENCE]
        out_floats[win.F_CONFIRM] = annotation[A_CONFIRM]
        out_floats[win.F_SESSION] = _session(ints[frame.I_END] - params[0]["window_ms"])
        _signals(state, at, params, families, detector_params, out_floats)
        _write_ints(state, at, ints, out_ints)
        _remember(state, at, params, floats, out_floats[win.F_VOL])
        state[at]["emitted"] += 1
    else:
        whole = False
        _break_windows(state, at, blank)
    _open_window(state, at)
    return whole


@kernel
def run_windows(
    state: NDArray[np.void],
    blank: NDArray[np.void],
    params: NDArray[np.void],
    families: NDArray[np.int64],
    detector_params: NDArray[np.float64],
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
    annotations: NDArray[np.float64],
    out_ints: NDArray[np.int64],
    out_floats: NDArray[np.float64],
) -> int:
    """Take frames in order; return the number of windows written to the out rows."""
    n = 0
    for i in range(ints.shape[0]):
        if window_step(
            state, blank, params, families, detector_params, ints[i], floats[i], annotations[i],
            out_ints[n], out_floats[n],
        ):  # fmt: skip
            n += 1
    return n


@kernel
def _take_frame(state: NDArray[np.void], at: int, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> None:
    state[at]["frame_idx"] = ints[frame.I_FRAME]
    state[at]["frames"] += 1
    state[at]["count"] += 1
    k = (state[at]["frame_at"] + 1) % state[at]["f_imb"].shape[0]
    state[at]["frame_at"] = k
    state[at]["f_imb"][k] = floats[frame.C_IMB_5]
    state[at]["f_micro"][k] = floats[frame.C_MICRO]
    state[at]["f_sweep"][k] = floats[frame.C_SWEEP]
    mid2 = ints[frame.I_MID2]
    state[at]["f_mid2"][k] = mid2
    state[at]["quality"] |= ints[frame.I_QUALITY]
    if mid2 > 0:
        state[at]["high"] = max(state[at]["high"], mid2)
        state[at]["low"] = mid2 if state[at]["low"] == 0 else min(state[at]["low"], mid2)
    ret = floats[frame.C_RET]
    if ret == ret:
        state[at]["sq"] += ret * ret
        state[at]["sq_n"] += 1.0
    aggr = floats[frame.C_AGGR]
    if aggr == aggr:
        state[at]["signed"] += aggr * floats[frame.C_VOLUME]
        state[at]["usd"] += floats[frame.C_VOLUME]
    if floats[frame.C_IMB_5] == floats[frame.C_IMB_5]:
        state[at]["imb"] += floats[frame.C_IMB_5]
        state[at]["imb_n"] += 1.0
    if floats[frame.C_MICRO] == floats[frame.C_MICRO]:
        state[at]["micro"] += floats[frame.C_MICRO]
        state[at]["micro_n"] += 1.0
    if floats[frame.C_SPREAD] == floats[frame.C_SPREAD]:
        state[at]["spread"] += floats[frame.C_SPREAD]
        state[at]["spread_n"] += 1.0


@kernel
def _session(time_ms: int) -> float:
    """The session of `timebase.session_of`, compiled."""
    weekday = (time_ms // 86_400_000 + 3) % 7
    hour = (time_ms % 86_400_000) // 3_600_000
    if weekday >= 5:
        return 3.0
    if 7 <= hour < 13:
        return 1.0
    return 2.0 if 13 <= hour < 22 else 0.0


@kernel
def _open_window(state: NDArray[np.void], at: int) -> None:
    state[at]["count"] = 0
    state[at]["quality"] = 0
    state[at]["high"] = 0
    state[at]["low"] = 0
    state[at]["sq"] = 0.0
    state[at]["sq_n"] = 0.0
    state[at]["signed"] = 0.0
    state[at]["usd"] = 0.0
    state[at]["imb"] = 0.0
    state[at]["imb_n"] = 0.0
    state[at]["micro"] = 0.0
    state[at]["micro_n"] = 0.0
    state[at]["spread"] = 0.0
    state[at]["spread_n"] = 0.0


@kernel
def _break_windows(state: NDArray[np.void], at: int, blank: NDArray[np.void]) -> None:
    """A window that was not whole, or closed without a quote, ends every rolling value, like a gap."""
    frame_idx = state[at]["frame_idx"]
    state[at] = blank[0]
    state[at]["frame_idx"] = frame_idx
    state[at]["frames"] = 1
    state[at]["f_imb"][0] = math.nan
    state[at]["f_micro"][0] = math.nan


@kernel
def _close_window(
    state: NDArray[np.void], at: int, params: NDArray[np.void], ints: NDArray[np.int64], floats: NDArray[np.float64]
) -> None:
    state[at]["windows"] += 1
    k = (state[at]["window_at"] + 1) % state[at]["w_mid2"].shape[0]
    state[at]["window_at"] = k
    state[at]["w_mid2"][k] = ints[frame.I_MID2]
    state[at]["w_high"][k] = state[at]["high"]
    state[at]["w_low"][k] = state[at]["low"]
    state[at]["w_basis"][k] = floats[frame.C_BASIS]
    state[at]["w_sq"][k] = state[at]["sq"]
    state[at]["w_n"][k] = state[at]["sq_n"]
    state[at]["w_signed"][k] = state[at]["signed"]
    state[at]["w_usd"][k] = state[at]["usd"]
    state[at]["depth_bid"] = floats[frame.C_DEPTH_BID]
    state[at]["depth_ask"] = floats[frame.C_DEPTH_ASK]
    _cycle(state, at, params, ints[frame.I_MID2] / 2.0)


@kernel
def _cycle(state: NDArray[np.void], at: int, params: NDArray[np.void], mid: float) -> None:
    """Quadrature filter: the band between two exponential means of the mid, and its change as the other component."""
    if state[at]["windows"] == 1:
        state[at]["price_fast"] = mid
        state[at]["price_slow"] = mid
        return
    state[at]["price_fast"] += params[0]["fast_price_gain"] * (mid - state[at]["price_fast"])
    state[at]["price_slow"] += params[0]["slow_price_gain"] * (mid - state[at]["price_slow"])
    cycle = 1e4 * (state[at]["price_fast"] - state[at]["price_slow"]) / mid
    change = cycle - state[at]["cycle"]
    state[at]["cycle"] = cycle
    gain = params[0]["depth_gain"]
    state[at]["power_cycle"] += gain * (cycle * cycle - state[at]["power_cycle"])
    state[at]["power_change"] += gain * (change * change - state[at]["power_change"])
    state[at]["change"] = change


@kernel
def _context(
    state: NDArray[np.void], at: int, params: NDArray[np.void], floats: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    windows = state[at]["windows"]
    size = state[at]["w_mid2"].shape[0]
    last = state[at]["window_at"]
    sq = 0.0
    n = 0.0
    signed = 0.0
    usd = 0.0
    for k in range(min(windows, params[0]["trend_windows"])):
        j = (last - k) % size
        sq += state[at]["w_sq"][j]
        n += state[at]["w_n"][j]
        if k < params[0]["flow_windows"]:
            signed += state[at]["w_signed"][j]
            usd += state[at]["w_usd"][j]
    vol = math.nan
    if windows >= params[0]["vol_min_windows"] and n > 0.0:
        vol = math.sqrt(params[0]["frames_per_minute"] * sq / n)
    out[win.F_VOL] = vol
    out[win.F_FLOW] = signed / usd if usd > 0.0 else math.nan
    out[win.F_TREND] = math.nan
    back = params[0]["trend_windows"]
    if windows > back and vol > 0.0:
        was = state[at]["w_mid2"][(last - back) % size]
        ret = 1e4 * (state[at]["w_mid2"][last] - was) / was
        out[win.F_TREND] = ret / (vol * math.sqrt(back / params[0]["windows_per_minute"]))
    out[win.F_RV] = floats[frame.C_RV]
    out[win.F_SLOPE] = floats[frame.C_SLOPE]
    out[win.F_OI] = floats[frame.C_OI]
    out[win.F_SPREAD_CLOSE] = floats[frame.C_SPREAD]
    out[win.F_FUNDING] = floats[frame.C_FUNDING]
    out[win.F_BASIS] = floats[frame.C_BASIS]
    out[win.F_IMBALANCE] = state[at]["imb"] / state[at]["imb_n"] if state[at]["imb_n"] > 0.0 else math.nan
    out[win.F_SPREAD] = state[at]["spread"] / state[at]["spread_n"] if state[at]["spread_n"] > 0.0 else math.nan
    _phase(state, at, params, out)


@kernel
def _phase(state: NDArray[np.void], at: int, params: NDArray[np.void], out: NDArray[np.float64]) -> None:
    out[win.F_COS] = math.nan
    out[win.F_SIN] = math.nan
    if state[at]["windows"] < params[0]["phase_min_windows"]:
        return
    if not (state[at]["power_cycle"] > 0.0 and state[at]["power_change"] > 0.0):
        return
    c = state[at]["cycle"] / math.sqrt(state[at]["power_cycle"])
    s = -state[at]["change"] / math.sqrt(state[at]["power_change"])
    length = math.sqrt(c * c + s * s)
    if length > 0.0:
        out[win.F_COS] = c / length
        out[win.F_SIN] = s / length


@kernel
def _signals(
    state: NDArray[np.void],
    at: int,
    params: NDArray[np.void],
    families: NDArray[np.int64],
    detector_params: NDArray[np.float64],
    out: NDArray[np.float64],
) -> None:
    detectors = families.shape[0]
    siblings = detector_params.shape[1] - 1
    for d in range(detectors):
        per_minute = params[0]["windows_per_minute"]
        out[win.F_SIGNAL + d] = signal(families[d], state, at, detector_params[d, 0], out[win.F_VOL], per_minute)
        total = 0.0
        square = 0.0
        for k in range(1, siblings + 1):
            value = signal(families[d], state, at, detector_params[d, k], out[win.F_VOL], per_minute)
            total += value
            square += value * value
        mean = total / siblings
        out[win.F_SIGNAL + detectors + d] = max(0.0, square / siblings - mean * mean)


@kernel
def _write_ints(state: NDArray[np.void], at: int, ints: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    out[win.W_ASSET] = at
    out[win.W_END] = ints[frame.I_END]
    out[win.W_RECV] = ints[frame.I_RECV]
    out[win.W_SEQ] = ints[frame.I_SEQ]
    out[win.W_MID2] = ints[frame.I_MID2]
    out[win.W_QUALITY] = state[at]["quality"]
    out[win.W_AGE] = state[at]["windows"] - 1


@kernel
def _trail(mean: float, value: float, gain: float, windows: int) -> float:
    """Exponential mean that is the plain mean while it is younger than 1 / gain windows; null values leave it."""
    if value != value:
        return mean
    if mean != mean:
        return value
    return mean + max(gain, 1.0 / windows) * (value - mean)


@kernel
def _remember(
    state: NDArray[np.void], at: int, params: NDArray[np.void], floats: NDArray[np.float64], vol: float
) -> None:
    """Update trailing means after the signals were taken: a window is never compared with itself."""
    n = state[at]["windows"]
    slow = params[0]["slow_gain"]
    imb = state[at]["imb"] / state[at]["imb_n"] if state[at]["imb_n"] > 0.0 else math.nan
    micro = state[at]["micro"] / state[at]["micro_n"] if state[at]["micro_n"] > 0.0 else math.nan
    lag = params[0]["basis_lag_windows"]
    move = math.nan
    if n > lag:
        last = state[at]["window_at"]
        move = floats[frame.C_BASIS] - state[at]["w_basis"][(last - lag) % state[at]["w_basis"].shape[0]]
    state[at]["ms_imb"] = _trail(state[at]["ms_imb"], imb * imb, slow, n)
    state[at]["ms_micro"] = _trail(state[at]["ms_micro"], micro * micro, slow, n)
    state[at]["ms_basis"] = _trail(state[at]["ms_basis"], move * move, slow, n)
    gain = params[0]["depth_gain"]
    state[at]["mean_bid"] = _trail(state[at]["mean_bid"], floats[frame.C_DEPTH_BID], gain, n)
    state[at]["mean_ask"] = _trail(state[at]["mean_ask"], floats[frame.C_DEPTH_ASK], gain, n)
    state[at]["mean_vol"] = _trail(state[at]["mean_vol"], vol, slow, n)
    young = n < MIN_WINDOWS
    state[at]["rms_imb"] = math.nan if young else math.sqrt(state[at]["ms_imb"])
    state[at]["rms_micro"] = math.nan if young else math.sqrt(state[at]["ms_micro"])
    state[at]["rms_basis"] = math.nan if young else math.sqrt(state[at]["ms_basis"])
