"""One frame into the window state, and the window row when the frame closes a window.

Live, the frames of the open window are kept; the program over frames runs over all but the last of them at once and
over the closing one alone, so that a close costs one row of each program. The batch notes which frames make the
windows and runs both programs over many rows, with the same bits (`lotus.tape_machine`: rows may be split into blocks
at will). A window is emitted only when all its frames
came without a gap and it closed with a quote; what comes after any other one is a birth, and both programs begin it
blank. No tables, beliefs or scores belong here.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.windows import row_spec as win
from lotus.detectors.windows.programs import Running
from lotus.experts.annotation_spec import A_CONFIRM, A_EVIDENCE
from lotus.jit import kernel
from lotus.microtape.frames import spec as frame
from lotus.tape_machine.interpreter import run_block
from lotus.tape_machine.ops.elementwise import read_row

TAKEN, READY, CLOSES = range(3)


class WindowTables(NamedTuple):
    """Everything that a window is made of: see `windows.WindowBuilder`."""

    state: NDArray[np.void]
    blank: NDArray[np.void]
    params: NDArray[np.void]
    rows: NDArray[np.float64]  # [assets, frames of a window, N_FLOATS]: the open window
    frames: Running


class Picks(NamedTuple):
    """Frames that make whole windows, in order, for the program over frames; `of` is one row per asset."""

    row: NDArray[np.int64]  # of the batch
    asset: NDArray[np.int64]
    to: NDArray[np.int64]  # the window's number where the frame closes it, else -1
    birth: NDArray[np.bool_]  # whether the program begins blank
    of: NDArray[np.int64]  # [assets, frames of a window]: rows of the open window


@kernel
def run_windows(
    w: WindowTables,
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
    annotations: NDArray[np.float64],
    first: int,
    table: NDArray[np.float64],
    out_ints: NDArray[np.int64],
    out_floats: NDArray[np.float64],
    picks: Picks,
) -> tuple[int, int]:
    """Take frames in order from row `first` on, as many as there are annotations; return (windows, frames picked).

    Windows are written to the table and to the out rows, without what the two programs say.
    """
    n, many = 0, 0
    for i in range(first, first + len(annotations)):
        at = ints[i, frame.I_ASSET]
        what = take_frame(w.state, w.blank, w.params, ints[i], floats[i])
        place = w.state[at]["count"] - 1
        if place < picks.of.shape[1]:
            picks.of[at, place] = i
        if what != CLOSES:
            continue
        ran = w.state[at]["ran"]
        if close_window(w, ints[i], floats[i], annotations[i - first], table[n], out_ints[n], out_floats[n]):
            for k in range(ran, place + 1):
                picks.row[many], picks.asset[many] = picks.of[at, k], at
                picks.to[many] = n if k == place else -1
                picks.birth[many] = k == 0 and out_ints[n, win.W_AGE] == 0
                many += 1
            n += 1
    return n, many


@kernel
def take_frame(
    state: NDArray[np.void],
    blank: NDArray[np.void],
    params: NDArray[np.void],
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
) -> int:
    """Take one frame row (layout of `frames.spec`); return what it asks for.

    CLOSES: `close_window`; READY: `run_frames`, all frames of a window but the last are there; TAKEN: nothing.
    """
    at = ints[frame.I_ASSET]
    if state[at]["frames"] > 0 and ints[frame.I_FRAME] != state[at]["frame_idx"] + 1:
        state[at] = blank[0]
    _take_frame(state, at, ints, floats)
    if ints[frame.I_END] % params[0]["window_ms"] == 0:
        return CLOSES
    return READY if state[at]["count"] + 1 == params[0]["frames_per_window"] else TAKEN


@kernel
def keep_frame(
    state: NDArray[np.void],
    blank: NDArray[np.void],
    params: NDArray[np.void],
    rows: NDArray[np.float64],
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
) -> int:
    """Take one frame row as `take_frame` and keep it in `rows`."""
    what, at = take_frame(state, blank, params, ints, floats), ints[frame.I_ASSET]
    place = state[at]["count"] - 1
    if place < rows.shape[1]:
        for k in range(rows.shape[2]):
            rows[at, place, k] = floats[k]
    return what


@kernel
def run_frames(state: NDArray[np.void], rows: NDArray[np.float64], frames: Running, at: int, end: int) -> int:
    """Run the program over frames over the open window's frames up to `end` that it has not seen; return how many."""
    f, first = frames, state[at]["ran"]
    if state[at]["windows"] == 0 and first == 0:
        f.floats[at, :] = 0.0
        f.ints[at, :] = 0
    groups = 1
    for i in range(first, end):
        groups = read_row(f.code, rows[at, i], f.registers, i - first)
    run_block(f.code, groups, f.params, f.floats[at], f.ints[at], f.registers, end - first)
    state[at]["ran"] = end
    return int(end - first)


@kernel
def finish_frames(w: WindowTables, ints: NDArray[np.int64], row: NDArray[np.float64]) -> None:
    """Run the program over frames to the end of the window that a frame closes and put its outputs to the table's row.

    Nothing is done for a window that is not whole.
    """
    at = ints[frame.I_ASSET]
    if _is_whole(w.state, at, w.params, ints):
        last = run_frames(w.state, w.rows, w.frames, at, w.rows.shape[1]) - 1
        for k in range(len(w.frames.outputs)):
            row[win.T_VALUES + k] = w.frames.registers[w.frames.outputs[k], last]


@kernel
def close_window(
    w: WindowTables,
    ints: NDArray[np.int64],
    floats: NDArray[np.float64],
    annotation: NDArray[np.float64],
    row: NDArray[np.float64],
    out_ints: NDArray[np.int64],
    out_floats: NDArray[np.float64],
) -> bool:
    """Close the window that this frame ends; return whether it was whole and is in the table's row and the out rows."""
    at = ints[frame.I_ASSET]
    whole = _is_whole(w.state, at, w.params, ints)
    if whole:
        _close_window(w.state, at, w.params, ints)
        _context(w.state, at, w.params, floats, out_floats)
        out_floats[win.F_MX] = annotation[A_EVIDENCE]
        out_floats[win.F_CONFIRM] = annotation[A_CONFIRM]
        out_floats[win.F_SESSION] = _session(ints[frame.I_END] - w.params[0]["window_ms"])
        _fill_table(w.state, at, floats, out_floats, row)
        _write_ints(w.state, at, ints, out_ints)
    else:
        _break_windows(w.state, at, w.blank)
    _open_window(w.state, at)
    return whole


@kernel
def _is_whole(state: NDArray[np.void], at: int, params: NDArray[np.void], ints: NDArray[np.int64]) -> bool:
    whole: bool = state[at]["count"] == params[0]["frames_per_window"] and ints[frame.I_MID2] > 0
    return whole


@kernel
def _fill_table(
    state: NDArray[np.void], at: int, floats: NDArray[np.float64], out: NDArray[np.float64], row: NDArray[np.float64]
) -> None:
    for k in range(win.F_SIGNAL):
        row[k] = out[k]
    row[win.T_AGE] = state[at]["windows"] - 1.0
    row[win.T_HIGH] = state[at]["high"] / 2.0
    row[win.T_LOW] = state[at]["low"] / 2.0
    row[win.T_MICRO] = state[at]["micro"] / state[at]["micro_n"] if state[at]["micro_n"] > 0.0 else math.nan
    row[win.T_SIGNED] = state[at]["signed"]
    row[win.T_TRADED] = state[at]["usd"]
    row[win.T_UPS] = state[at]["ups"]
    row[win.T_DOWNS] = state[at]["downs"]
    for k in range(frame.N_FLOATS):
        row[win.T_FRAME + k] = floats[k]


@kernel
def _take_frame(state: NDArray[np.void], at: int, ints: NDArray[np.int64], floats: NDArray[np.float64]) -> None:
    state[at]["frame_idx"] = ints[frame.I_FRAME]
    state[at]["frames"] += 1
    state[at]["count"] += 1
    mid2 = ints[frame.I_MID2]
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
    if floats[frame.C_SWEEP] > 0.0:
        state[at]["ups"] += 1.0
    elif floats[frame.C_SWEEP] < 0.0:
        state[at]["downs"] += 1.0


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
    state[at]["ran"] = 0
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
    state[at]["ups"] = 0.0
    state[at]["downs"] = 0.0


@kernel
def _break_windows(state: NDArray[np.void], at: int, blank: NDArray[np.void]) -> None:
    """A window that was not whole, or closed without a quote, ends every rolling value, like a gap."""
    frame_idx = state[at]["frame_idx"]
    state[at] = blank[0]
    state[at]["frame_idx"] = frame_idx
    state[at]["frames"] = 1


@kernel
def _close_window(state: NDArray[np.void], at: int, params: NDArray[np.void], ints: NDArray[np.int64]) -> None:
    state[at]["windows"] += 1
    k = (state[at]["window_at"] + 1) % state[at]["w_mid2"].shape[0]
    state[at]["window_at"] = k
    state[at]["w_mid2"][k] = ints[frame.I_MID2]
    state[at]["w_sq"][k] = state[at]["sq"]
    state[at]["w_n"][k] = state[at]["sq_n"]
    state[at]["w_signed"][k] = state[at]["signed"]
    state[at]["w_usd"][k] = state[at]["usd"]
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
    gain = params[0]["power_gain"]
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
def _write_ints(state: NDArray[np.void], at: int, ints: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    out[win.W_ASSET] = at
    out[win.W_END] = ints[frame.I_END]
    out[win.W_RECV] = ints[frame.I_RECV]
    out[win.W_SEQ] = ints[frame.I_SEQ]
    out[win.W_MID2] = ints[frame.I_MID2]
    out[win.W_QUALITY] = state[at]["quality"]
    out[win.W_AGE] = state[at]["windows"] - 1
