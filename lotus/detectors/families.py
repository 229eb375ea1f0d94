"""The signal of each detector family at the close of a window: s in [-1, 1], its sign the direction.

Every family reads the rings of recent frames and windows in `window_state` and its own parameters, nothing else; 0 is
"nothing to say". Publication, quality and context do not belong here.
"""

import math

import numpy as np
from numpy.typing import NDArray

from lotus.jit import kernel

IMBALANCE, SWEEP_STALL, DEPTH_VACUUM, COMPRESSED, BASIS, MICRO = range(6)  # positions in registry.FAMILIES
MIN_WINDOWS = 12  # one minute of windows before a trailing mean counts


@kernel
def signal(
    family: int, state: NDArray[np.void], at: int, params: NDArray[np.float64], vol: float, per_minute: float
) -> float:
    """Return s of one family for asset `at`; `vol` bps per sqrt(minute), `per_minute` windows per minute."""
    if family == IMBALANCE:
        return persistence(state[at]["f_imb"], state[at]["frames"], state[at]["frame_at"], params, state[at]["rms_imb"])
    if family == MICRO:
        return persistence(
            state[at]["f_micro"], state[at]["frames"], state[at]["frame_at"], params, state[at]["rms_micro"]
        )
    if family == SWEEP_STALL:
        return sweep_stall(state, at, params, vol)
    if family == DEPTH_VACUUM:
        return depth_vacuum(state, at, params)
    if family == COMPRESSED:
        return compressed(state, at, params, per_minute)
    return basis_shock(state, at, params)


@kernel
def persistence(ring: NDArray[np.float64], frames: int, last: int, params: NDArray[np.float64], rms: float) -> float:
    """Sign of a value that stayed on one side: params = [frames, floor, k_rms, share]; `last` = newest ring position.

    With threshold q = max(floor, k_rms * rms): 0 unless |mean| >= q and `share` of the frames stand on the mean's side;
    then sign(mean) * min(1, |mean| / 2q).
    """
    span = int(params[0])
    if frames < span:
        return 0.0
    total = 0.0
    count = 0
    above = 0
    below = 0
    for k in range(span):
        value = ring[(last - k) % ring.shape[0]]
        if value == value:
            total += value
            count += 1
            if value > 0.0:
                above += 1
            elif value < 0.0:
                below += 1
    if 2 * count < span:
        return 0.0
    mean = total / count
    threshold = params[1]
    if rms == rms:
        threshold = max(threshold, params[2] * rms)
    same = above if mean > 0.0 else below
    if abs(mean) < threshold or same < params[3] * count:
        return 0.0
    return math.copysign(min(1.0, abs(mean) / (2.0 * threshold)), mean)


@kernel
def sweep_stall(state: NDArray[np.void], at: int, params: NDArray[np.float64], vol: float) -> float:
    """Against a recent sweep that stalled: params = [look frames, stall frames, stall_sigma, min_sweeps, full_sweeps].

    net = sum of sweep flags in the look-back; the last sweep of its side is at least `stall` frames old, and since then
    the mid moved with it by at most stall_sigma * vol * sqrt(time); then -sign(net) * min(1, |net| / full).
    """
    look = min(int(params[0]), state[at]["frames"])
    size = state[at]["f_sweep"].shape[0]
    last = state[at]["frame_at"]
    net = 0.0
    for k in range(look):
        net += state[at]["f_sweep"][(last - k) % size]
    if abs(net) < params[3] or net == 0.0 or not vol > 0.0:
        return 0.0
    age = 0
    while age < look and state[at]["f_sweep"][(last - age) % size] * net <= 0.0:
        age += 1
    was = state[at]["f_mid2"][(last - age) % size]
    now = state[at]["f_mid2"][last]
    if age < params[1] or was <= 0 or now <= 0:
        return 0.0
    moved = math.copysign(1.0, net) * 1e4 * (now - was) / was
    if moved > params[2] * vol * math.sqrt(age / state[at]["frames_per_minute"]):
        return 0.0
    return -math.copysign(min(1.0, abs(net) / params[4]), net)


@kernel
def depth_vacuum(state: NDArray[np.void], at: int, params: NDArray[np.float64]) -> float:
    """Towards the side whose depth vanished: params = [drop, tilt, full_tilt].

    b, a = depth over its own trailing mean; the smaller is at most 1 - drop and |b - a| / (b + a) at least tilt;
    then sign(b - a) * min(1, tilt / full).
    """
    if state[at]["windows"] < MIN_WINDOWS:
        return 0.0
    bid = state[at]["depth_bid"] / state[at]["mean_bid"]
    ask = state[at]["depth_ask"] / state[at]["mean_ask"]
    if not (bid + ask > 0.0) or min(bid, ask) > 1.0 - params[0]:
        return 0.0
    tilt = (bid - ask) / (bid + ask)
    if abs(tilt) < params[1]:
        return 0.0
    return math.copysign(min(1.0, abs(tilt) / params[2]), tilt)


@kernel
def compressed(state: NDArray[np.void], at: int, params: NDArray[np.float64], per_minute: float) -> float:
    """With the breakout from a narrow range: params = [span, hold (windows), ratio, margin_sigma, full_sigma].

    The range is that of the mids of `span` windows ending `hold` windows ago. It is compressed when at most
    ratio * slow volatility * sqrt(span); the mid is out by x >= margin slow volatilities over the hold; min(1, x/full).
    """
    span = int(params[0])
    hold = int(params[1])
    slow = state[at]["mean_vol"]
    if state[at]["windows"] < span + hold or not slow > 0.0:
        return 0.0
    size = state[at]["w_high"].shape[0]
    last = state[at]["window_at"]
    high = np.int64(0)
    low = np.int64(2**62)
    for k in range(hold, hold + span):
        high = max(high, state[at]["w_high"][(last - k) % size])
        low = min(low, state[at]["w_low"][(last - k) % size])
    now = state[at]["w_mid2"][last]
    if low <= 0 or high < low or now <= 0:
        return 0.0
    if 1e4 * (high - low) / low > params[2] * slow * math.sqrt(span / per_minute):
        return 0.0
    out = 1e4 * (now - high) / high if now > high else 1e4 * (now - low) / low if now < low else 0.0
    sigmas = out / (slow * math.sqrt(hold / per_minute))
    if abs(sigmas) < params[3] or out == 0.0:
        return 0.0
    return math.copysign(min(1.0, abs(sigmas) / params[4]), sigmas)


@kernel
def basis_shock(state: NDArray[np.void], at: int, params: NDArray[np.float64]) -> float:
    """Against a sudden move of the basis: params = [lag windows, floor_bps, z, full_z].

    x = basis now - basis `lag` windows ago, r = trailing root mean square of its 30 s moves; 0 below max(floor, z r);
    then -sign(x) * min(1, |x| / max(floor, full_z r)).
    """
    lag = int(params[0])
    rms = state[at]["rms_basis"]
    if state[at]["windows"] < lag or not rms >= 0.0:
        return 0.0
    size = state[at]["w_basis"].shape[0]
    last = state[at]["window_at"]
    move = state[at]["w_basis"][last] - state[at]["w_basis"][(last - lag) % size]
    if not abs(move) >= max(params[1], params[2] * rms):
        return 0.0
    return -math.copysign(min(1.0, abs(move) / max(params[1], params[3] * rms)), move)
