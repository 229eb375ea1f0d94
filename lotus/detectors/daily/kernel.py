"""Slow kernel terms of a detector from matured days: coherence, phi, novelty, emergence and the penalty theta_0.

All in [0, 1]; None (too little history, fewer than three assets, a zero denominator) stands at 0.5. Welch (1967) for
averaged spectra; ridge for the partial correlation; entropy of publications for theta_0.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.detectors.daily.quality import MIN_DAYS, MIN_OVERLAP, Matured
from lotus.priors.vocabulary import FEATURE_NAMES, N_BINS, N_FEATURES, SESSION

MIN_SEGMENTS = 16
FULL_SUPPORT = 500  # publications in 20 days
DISPERSION_MS = 300_000
RIDGE = 0.01  # of the number of rows, on standardised columns
_HBAR = FEATURE_NAMES.index("hbar")


def segment_length(band_s: tuple[float, float], window_s: float) -> int:
    """Return the smallest power of two of windows that holds two of the band's longest periods."""
    return 1 << int(np.ceil(np.log2(2.0 * band_s[1] / window_s)))


def segments(history: Sequence[DayHistory], length: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return non-overlapping unbroken segments of all assets and days: rows of the joined windows and the returns.

    Both [K, length]; a row counts the windows of `history` in order, its return is that of the next window.
    """
    key = np.concatenate([h.key for h in history])
    mid2 = np.concatenate([h.mid2 for h in history])
    starts = [np.zeros((0, length), np.int64)]
    after = [np.zeros((0, length), np.int64)]
    for asset in np.unique(key % MAX_ASSETS):
        rows = np.flatnonzero(key % MAX_ASSETS == asset)
        for run in np.split(rows, np.flatnonzero(np.diff(key[rows]) != MAX_ASSETS) + 1):
            count = max(len(run) - 1, 0) // length
            starts.append(run[: count * length].reshape(count, length))
            after.append(run[1 : count * length + 1].reshape(count, length) if count else after[0])
    now, then = np.concatenate(starts), np.concatenate(after)
    return now, mid2[then] / mid2[now] - 1.0


def coherence(
    history: Sequence[DayHistory],
    detector: int,
    cut: tuple[NDArray[np.int64], NDArray[np.float64]],
    band_s: tuple[float, float],
    window_s: float,
) -> float | None:
    """Return clip((C - 1/K) / (1 - 1/K), 0, 1), C the mean coherence in the band of s and the next window's return.

    K >= 16 Hann segments (`cut` from `segments`) in which the detector spoke. Coherence does not change under a linear
    filter of either side, so the one-window return serves every horizon.
    """
    s = np.zeros(sum(len(h.key) for h in history))
    offset = 0
    for h in history:
        own_rows = h.detector == detector
        s[offset + np.searchsorted(h.key, h.signal_key[own_rows])] = h.s[own_rows]
        offset += len(h.key)
    spoke = s[cut[0]].any(axis=1)
    k = int(spoke.sum())
    if k < MIN_SEGMENTS:
        return None
    signal, ret = _spectra(s[cut[0][spoke]]), _spectra(cut[1][spoke])
    frequency = np.fft.rfftfreq(cut[0].shape[1], window_s)
    cross = np.abs(np.mean(signal * np.conj(ret), axis=0)) ** 2
    power = np.mean(np.abs(signal) ** 2, axis=0) * np.mean(np.abs(ret) ** 2, axis=0)
    inside = (frequency >= 1.0 / band_s[1]) & (frequency <= 1.0 / band_s[0]) & (power > 0.0)
    if not inside.any():
        return None
    value = float(np.mean(cross[inside] / power[inside]))
    return min(max((value - 1.0 / k) / (1.0 - 1.0 / k), 0.0), 1.0)


def _spectra(rows: NDArray[np.float64]) -> NDArray[np.complex128]:
    centred = (rows - rows.mean(axis=1, keepdims=True)) * np.hanning(rows.shape[1])
    out: NDArray[np.complex128] = np.fft.rfft(centred, axis=1)
    return out


def dispersion(history: Sequence[DayHistory], window_ms: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return (window index, first difference of the sd over >= 3 assets of 5 min returns in bps)."""
    back = DISPERSION_MS // window_ms
    windows, values = [], []
    for h in history:
        earlier = np.searchsorted(h.key, h.key - back * MAX_ASSETS)
        earlier = np.minimum(earlier, len(h.key) - 1)
        whole = h.key[earlier] == h.key - back * MAX_ASSETS
        ret = 1e4 * (h.mid2[whole] / h.mid2[earlier[whole]] - 1.0)
        moments, first, count = np.unique(h.key[whole] // MAX_ASSETS, return_index=True, return_counts=True)
        if not len(moments):
            continue
        mean = np.add.reduceat(ret, first) / count
        square = np.add.reduceat(ret * ret, first) / count
        spread = np.sqrt(np.maximum(square - mean * mean, 0.0))
        steps = (np.diff(moments) == 1) & (count[1:] >= 3) & (count[:-1] >= 3)
        windows.append(moments[1:][steps])
        values.append(np.diff(spread)[steps])
    if not windows:
        return np.zeros(0, np.int64), np.zeros(0)
    return np.concatenate(windows), np.concatenate(values)


def phi(
    m: Matured,
    context: tuple[NDArray[np.int64], NDArray[np.float64]],
    moved: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> float | None:
    """Return |partial corr(P, dispersion change | context)| by ridge.

    `context`: (key [n], raw features [n, 12]) of all windows, sorted; `moved` from `dispersion`.
    """
    windows, change = moved
    if m.days < MIN_DAYS or not len(windows):
        return None
    places = np.minimum(np.searchsorted(windows, m.key // MAX_ASSETS), len(windows) - 1)
    keep = windows[places] == m.key // MAX_ASSETS
    if keep.sum() < MIN_OVERLAP + N_FEATURES:
        return None
    key, x = context
    others = _standard(x[np.minimum(np.searchsorted(key, m.key[keep]), len(key) - 1)])
    left, right = _residual(m.payoff[keep], others), _residual(change[places[keep]], others)
    below = float(np.sqrt(np.sum(left * left) * np.sum(right * right)))
    return min(abs(float(np.sum(left * right))) / below, 1.0) if below > 0.0 else None


def _standard(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    finite = np.isfinite(columns)
    count = np.maximum(finite.sum(axis=0), 1)
    filled = np.where(finite, columns, 0.0)
    centred = np.where(finite, columns - filled.sum(axis=0) / count, 0.0)
    deviation = np.sqrt(np.sum(centred**2, axis=0) / count)
    out: NDArray[np.float64] = centred / np.where(deviation > 0.0, deviation, 1.0)
    return out


def _residual(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean()
    gram = others.T @ others + RIDGE * len(values) * np.eye(others.shape[1])
    out: NDArray[np.float64] = centred - others @ np.linalg.solve(gram, others.T @ centred)
    return out


def theta0(history: Sequence[DayHistory], detector: int) -> float | None:
    """Return clip(1 - support H / H_max, 0, .9): H the entropy of publications over hbar tercile x session."""
    rows = [h.published & (h.detector == detector) for h in history]
    bins = np.concatenate([h.bins[r] for h, r in zip(history, rows, strict=True)])
    if len(history) < MIN_DAYS:
        return None
    support = min(1.0, len(bins) / FULL_SUPPORT)
    complete = bins[(bins[:, _HBAR] < N_BINS[_HBAR]) & (bins[:, SESSION] < N_BINS[SESSION])]
    cells = np.bincount(
        complete[:, _HBAR].astype(np.int64) * N_BINS[SESSION] + complete[:, SESSION],
        minlength=N_BINS[_HBAR] * N_BINS[SESSION],
    )
    if not cells.sum():
        return None
    p = cells[cells > 0] / cells.sum()
    entropy = -float(np.sum(p * np.log(p)))
    return min(max(1.0 - support * entropy / float(np.log(len(cells))), 0.0), 0.9)


def emergence(history: Sequence[DayHistory], detector: int) -> float | None:
    """Return logistic(t) of the slope of daily median sigma on the day's place among the learning days."""
    values = np.array([h.median_sigma[detector] for h in history])
    finite = np.flatnonzero(np.isfinite(values))
    values, n = values[finite], len(finite)
    if n < MIN_DAYS:
        return None
    x = finite - finite.mean()
    slope = float(np.sum(x * values) / np.sum(x * x))
    residual = values - values.mean() - slope * x
    error = float(np.sqrt(np.sum(residual**2) / (n - 2) / np.sum(x * x)))
    if error <= 1e-12 * abs(float(values.mean())):
        return None
    return float(1.0 / (1.0 + np.exp(-np.clip(slope / error, -40.0, 40.0))))


def novelty(profiles: Sequence[NDArray[np.float64]], detector: int) -> float | None:
    """Return half the median cosine distance of a payoff profile to the others; `profiles` from `payoff_profile`."""
    own = profiles[detector]
    distances = []
    for j, other in enumerate(profiles):
        below = float(np.linalg.norm(own) * np.linalg.norm(other))
        if j != detector and below > 0.0:
            distances.append(1.0 - float(own @ other) / below)
    return min(max(float(np.median(distances)) / 2.0, 0.0), 1.0) if distances else None


def payoff_profile(m: Matured) -> NDArray[np.float64]:
    """Return mean P per context bin less the mean of all, f8 [57]; zeros below 10 days."""
    out = np.zeros(sum(N_BINS))
    if m.days < MIN_DAYS:
        return out
    start = 0
    for f, n in enumerate(N_BINS):
        binned = m.bins[:, f] < n
        count = np.bincount(m.bins[binned, f], minlength=n)
        total = np.bincount(m.bins[binned, f], weights=m.payoff[binned] - m.payoff.mean(), minlength=n)
        out[start : start + n] = np.where(count > 0, total / np.maximum(count, 1), 0.0)
        start += n
    return out
