"""Lane F: each window against the rest of its day, so that what is known at its time cannot have made its baseline.

e = f - h level takes off what EARLIER days paid at that propensity (`strata`); then the level of the later steps of the
same day goes, over all assets together: r = w (e - h z'theta), theta = (sum_later h z z')^-1 sum_later z e, z = 1 and
the indicators of rules already believed (with a ridge), w = H_later / (H_later + H_step). A baseline of the whole day
(`demean`, lane S) holds payoffs that came before the window, and features made of them look right by that alone. The
last step counts nothing. Of what a rule sums its usual share of ALL windows goes off (`centred`): the noise that they
have in common; its usual share is that of the other days, for the day's own would look ahead. In the literature:
forward orthogonal deviations (Arellano and Bover 1995), against the bias of Nickell (1981).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lotus.hashing import round_learned
from lotus.jit import kernel

STEP_MS, STEPS_A_SESSION = 600_000, 64
RIDGE = 0.25  # of a believed rule's effect in the later steps, in units of overlap weight
EMPTY = 1e-6  # overlap weight of later steps that say nothing
_CHUNK = 512  # groups whose days stay in the cache

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Forward:
    """Of each window r [n], bps, and its weight [n] in lane F (0 where it counts nothing)."""

    r: Floats
    weight: Floats


def steps_of(end_ms: Ints, h: Floats, horizon_s: int) -> Ints:
    """Return the step [n] of one day's windows in time order: an hour, or an eighth of the time traded if shorter.

    Never shorter than the horizon. `end_ms` [n]; windows without overlap weight do not lengthen the session.
    """
    drawn = np.flatnonzero(h > 0.0)
    if not len(drawn):
        return np.zeros(len(end_ms), dtype=np.int64)
    first, last = int(end_ms[drawn].min()), int(end_ms[drawn].max())
    length = max(1000 * horizon_s, min(STEP_MS, (last - first) // STEPS_A_SESSION), 1)
    return np.maximum(0, (end_ms - first) // length)


def forward(f: Floats, h: Floats, level: Floats, step: Ints, day: Ints, inside: NDArray[np.bool_]) -> Forward:
    """Return lane F of windows sorted by day; `inside` [m, n] tells the rules already believed, `level` NaN = unknown.

    A day without a level counts nothing.
    """
    r, weight = np.zeros(len(f)), np.zeros(len(f))
    bounds = np.flatnonzero(np.diff(day, prepend=-1, append=-2))
    for a, b in pairwise(bounds.tolist()):
        span = slice(a, b)
        if not np.isnan(level[span]).any():
            excess = f[span] - h[span] * level[span]
            r[span], weight[span] = _of_day(excess, h[span], step[span], inside[:, span])
    return Forward(r, weight)


def centred(r: Floats, weight: Floats, total_r: Floats, total_weight: Floats, day: Ints) -> Floats:
    """Return r less, of each of k groups of windows, its share of the weight on other days times all's r.

    `r` (used up), `weight` [blocks, k]; `total_r`, `total_weight` [blocks] over all windows; `day` [blocks], ascending.
    """
    whole = np.bincount(day, weights=total_weight, minlength=int(day.max(initial=-1)) + 1)
    rest = whole.sum() - whole
    rest = np.where(rest > EMPTY, rest, np.inf)
    out = np.ascontiguousarray(r)
    _take_usual(out, np.ascontiguousarray(weight), total_r, day, rest, np.empty((len(rest) + 1, _CHUNK)))
    return out


@kernel
def _take_usual(r: Floats, weight: Floats, total_r: Floats, day: Ints, rest: Floats, usual: Floats) -> None:
    """Turn r into `centred`, a chunk of groups at a time; `rest` [days] is the weight of all on the other days.

    `usual` [days + 1, chunk] is scratch.
    """
    blocks, groups, n_days = r.shape[0], r.shape[1], len(rest)
    every = usual[n_days]
    for start in range(0, groups, _CHUNK):
        m = min(_CHUNK, groups - start)
        usual[:] = 0.0
        for b in range(blocks):
            row, part = usual[day[b]], weight[b, start : start + m]
            for i in range(m):
                row[i] += part[i]
        for d in range(n_days):
            row = usual[d]
            for i in range(m):
                every[i] += row[i]
        for d in range(n_days):
            row = usual[d]
            for i in range(m):
                row[i] = (every[i] - row[i]) / rest[d]
        for b in range(blocks):
            row, part = usual[day[b]], r[b, start : start + m]
            for i in range(m):
                part[i] -= row[i] * total_r[b]


def _of_day(e: Floats, h: Floats, step: Ints, inside: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    n_steps = int(step.max(initial=0)) + 1
    columns = [np.ones(len(e)), *inside.astype(np.float64)]
    width = len(columns)
    gram, moment = np.zeros((n_steps, width, width)), np.zeros((n_steps, width))
    for i, one in enumerate(columns):
        moment[:, i] = np.bincount(step, weights=one * e, minlength=n_steps)
        for k in range(i + 1):
            gram[:, i, k] = gram[:, k, i] = np.bincount(step, weights=one * columns[k] * h, minlength=n_steps)
    own = gram[:, 0, 0].copy()
    gram, moment = _later(gram), _later(moment)
    rest = gram[:, 0, 0].copy()
    known = rest > EMPTY
    ridge = np.diag([0.0, *[RIDGE] * (width - 1)])
    theta = np.zeros((n_steps, width))
    if known.any():
        solved = np.linalg.solve(gram[known] + ridge, moment[known][:, :, None])
        theta[known] = round_learned(np.asarray(solved[:, :, 0], dtype=np.float64))
    share = np.where(known, rest / np.where(known, rest + own, 1.0), 0.0)
    level = theta[step, 0]
    for k in range(1, width):
        level = level + columns[k] * theta[step, k]
    return share[step] * (e - h * level), share[step] * h


def _later(sums: Floats) -> Floats:
    """Return the sums over strictly later steps."""
    whole = np.cumsum(sums[::-1], axis=0)[::-1]
    return np.concatenate([whole[1:], np.zeros_like(whole[:1])])
