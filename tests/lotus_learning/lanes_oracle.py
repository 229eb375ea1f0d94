"""An independent, slow reference ('oracle') of the two lanes that decide what counts as evidence.

Written from the definitions alone: numpy and the standard library, nothing of the product. Every sum is taken
directly over the windows it names. All arrays are over the windows of one detector, in any order; `day` numbers the
rows of `g` (day weights) and of `xi` (signs, [days, draws]); h = p(1-p).

Where the definitions are silent:
- a published window whose executed payoff is not known (NaN) gets no correction: f = p(1-p) P;
- a rule whose residuals are all zero has T = 0 in the data and in every draw, and no bound (NaN);
- a rule without weight has U = 0;
- alpha is read as the decimal number it prints as, so that (1 - alpha)(J + 1) is exact before it is rounded up;
- a critical value beyond the largest draw is infinite; without eligible rules every draw is -infinity.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
Rule = Sequence[tuple[int, int, int]]
Histogram = tuple[Floats, Floats, Floats]

CELLS = 512
CELLS_PER_UNIT = 16
EDGE = 16.0
CENTRES: Floats = -EDGE + (np.arange(CELLS) + 0.5) / CELLS_PER_UNIT
HISTORY_DAYS = 20
SHARES = (0.01, 0.20, 0.40, 0.60, 0.80, 0.99)
DEFAULT_KNOTS = (-3.9, -2.0, -0.8, 0.3, 1.5, 3.9)
KNOT_GAP = 0.05
RIDGE_LEVEL = 3.75
RIDGE_DAY = 1e-3
RIDGE_BELIEVED = 0.25
NOTHING = 1e-6
STEP_MS, STEPS = 600_000, 64
PULL_WINDOWS, MOST = 20, 4.0
NULL_BIN = 255
BLOCKS = 4


@dataclass(frozen=True)
class Lane:
    """What one lane says of every rule: T, M, U and the bound; `critical` is the lane's own critical value."""

    t: Floats
    m: Floats
    u: Floats
    critical: float
    bound: Floats


@dataclass(frozen=True)
class Verdict:
    """Both lanes, the rules that are evidence, and what is shown of each: the smaller |U| and the smaller bound."""

    s: Lane
    f: Lane
    evidence: Bools
    shown_u: Floats
    shown_bound: Floats


def overlap(p: Floats) -> Floats:
    """Return h = p(1-p)."""
    return p * (1 - p)


def known_executed(published: Bools, executed: Floats) -> Bools:
    """Return the windows that were published and whose executed payoff is known."""
    return np.asarray(published, dtype=bool) & ~np.isnan(executed)


def scores(p: Floats, published: Bools, paper: Floats, executed: Floats) -> Floats:
    """Return f = p(1-p) P + A (1-p)(Y - P) of every window."""
    f = overlap(p) * paper
    for t in np.flatnonzero(known_executed(published, executed)):
        f[t] += (1 - p[t]) * (executed[t] - paper[t])
    return f


def inside(bins: Ints, rule: Rule) -> Bools:
    """Return the windows inside the box: every named feature's bin lies in its closed range and is not null."""
    found = np.ones(len(bins), dtype=bool)
    for feature, low, high in rule:
        bin_of = bins[:, feature]
        found &= (bin_of != NULL_BIN) & (bin_of >= low) & (bin_of <= high)
    return found


def indicators(bins: Ints, rules: Sequence[Rule]) -> Floats:
    """Return a column of zeros and ones per rule: [windows, rules]."""
    columns = np.zeros((len(bins), len(rules)))
    for k, rule in enumerate(rules):
        columns[:, k] = inside(bins, rule)
    return columns


def cell_of(u: float) -> int:
    """Return the cell of the fine grid that holds the logit `u`."""
    cell = math.floor((min(max(u, -EDGE), EDGE) + EDGE) * CELLS_PER_UNIT)
    return min(cell, CELLS - 1)  # 16 and more lie in the last cell; nextafter(16, 0) + 16 would round to 32


def histograms(day: Ints, u0: Floats, p: Floats, published: Bools, executed: Floats) -> dict[int, Histogram]:
    """Return the sums W, N and M over the fine grid of every day of the log, by day."""
    known = known_executed(published, executed)
    sums: dict[int, Histogram] = {}
    for d in np.unique(day).tolist():
        weight, count, payoff = np.zeros(CELLS), np.zeros(CELLS), np.zeros(CELLS)
        for t in np.flatnonzero(day == d):
            c = cell_of(float(u0[t]))
            weight[c] += p[t] * (1 - p[t])
            if known[t]:
                count[c] += 1 - p[t]
                payoff[c] += (1 - p[t]) * executed[t]
        sums[d] = (weight, count, payoff)
    return sums


def history_of(sums: dict[int, Histogram], d: int) -> Histogram:
    """Return the sums added over the newest days before `d`, at most 20; never a look at `d` itself."""
    weight, count, payoff = np.zeros(CELLS), np.zeros(CELLS), np.zeros(CELLS)
    for before in sorted(one for one in sums if one < d)[-HISTORY_DAYS:]:
        weight = weight + sums[before][0]
        count = count + sums[before][1]
        payoff = payoff + sums[before][2]
    return weight, count, payoff


def knots_of(weight: Floats) -> Floats:
    """Return the six knots of a history with weights W per cell; the default knots when there is none."""
    total = float(weight.sum())
    if total <= NOTHING:
        return np.array(DEFAULT_KNOTS)
    knots: list[float] = []
    for share in SHARES:
        target = share * total
        below = 0.0
        c = 0
        while below + weight[c] < target:
            below += float(weight[c])
            c += 1
        knots.append(-EDGE + (c + (target - below) / float(weight[c])) / CELLS_PER_UNIT)
    for i in range(1, len(knots)):
        knots[i] = max(knots[i], knots[i - 1] + KNOT_GAP)
    return np.array(knots)


def hats(u: Floats, knots: Floats) -> Floats:
    """Return B(u): [len(u), 6] hat functions on the knots, constant beyond the end knots."""
    columns = np.zeros((len(u), len(knots)))
    for k in range(len(knots)):
        peak = np.zeros(len(knots))
        peak[k] = 1.0
        columns[:, k] = np.interp(u, knots, peak)
    return columns


def levels(day: Ints, u0: Floats, p: Floats, published: Bools, executed: Floats) -> Floats:
    """Return the level of every window, learned from earlier days only; NaN on days without history."""
    sums = histograms(day, u0, p, published, executed)
    level = np.full(len(day), np.nan)
    for d in sums:
        weight, count, payoff = history_of(sums, d)
        if weight.sum() <= NOTHING:
            continue
        knots = knots_of(weight)
        at_centres = hats(CENTRES, knots)
        gram = RIDGE_LEVEL * np.eye(len(knots))
        right = np.zeros(len(knots))
        for c in range(CELLS):
            gram += count[c] * np.outer(at_centres[c], at_centres[c])
            right += payoff[c] * at_centres[c]
        beta = np.linalg.solve(gram, right)
        today = day == d
        level[today] = hats(u0[today], knots) @ beta
    return level


def lane_s(
    day: Ints,
    u0: Floats,
    p: Floats,
    published: Bools,
    paper: Floats,
    executed: Floats,
    bins: Ints,
    believed: Sequence[Rule] = (),
    counts: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return (r, weight) of the lane that fits each day on itself; believed rules are further columns of B."""
    sums = histograms(day, u0, p, published, executed)
    counted = np.ones(len(day)) if counts is None else counts
    h = counted * overlap(p)
    f = counted * scores(p, published, paper, executed)
    r = np.zeros(len(day))
    for d in sums:
        windows = np.flatnonzero(day == d)
        knots = knots_of(history_of(sums, d)[0])
        basis = np.hstack([hats(u0[windows], knots), indicators(bins[windows], believed)])
        gram = RIDGE_DAY * np.eye(basis.shape[1])
        right = np.zeros(basis.shape[1])
        for row, t in zip(basis, windows, strict=True):
            gram += h[t] * np.outer(row, row)
            right += f[t] * row
        fitted = np.linalg.solve(gram, right)
        for row, t in zip(basis, windows, strict=True):
            r[t] = f[t] - h[t] * float(row @ fitted)
    return r, h


def steps_of(end_ms: Ints, h: Floats, horizon_ms: int) -> Ints:
    """Return the step of every window of one day, in whole numbers."""
    weighed = [int(end) for end, one in zip(end_ms, h, strict=True) if one > 0]
    first, last = min(weighed), max(weighed)
    length = max(int(horizon_ms), min(STEP_MS, (last - first) // STEPS), 1)
    return np.array([max(0, (int(end) - first) // length) for end in end_ms])


def block_weights(
    day: Ints, block: Ints, u0: Floats, p: Floats, published: Bools, paper: Floats, executed: Floats
) -> Floats:
    """Return what each window's block counts: the usual deviation of a payoff about its level over the block's."""
    h, f, level = overlap(p), scores(p, published, paper, executed), levels(day, u0, p, published, executed)
    days = np.unique(day).tolist()
    beyond = np.zeros(len(day))
    for d in days:
        mine = day == d
        mean = f[mine].sum() / h[mine].sum()
        beyond[mine] = f[mine] - h[mine] * np.where(np.isnan(level[mine]), mean, level[mine])
    out = np.ones(len(day))
    for d in days:
        mine = day == d
        past = [e for e in days if e < d][-HISTORY_DAYS:]
        known = np.isin(day, past) if past else mine
        usual = (beyond[known] ** 2).sum() / (h[known] ** 2).sum()
        pull = PULL_WINDOWS * (h[mine] ** 2).sum() / mine.sum()
        for b in range(BLOCKS):
            here = mine & (block == b)
            own = ((beyond[here] ** 2).sum() + pull * usual) / ((h[here] ** 2).sum() + pull)
            out[here] = min(MOST, math.sqrt(usual / own))
    return out


def lane_f(
    end_ms: Ints,
    day: Ints,
    u0: Floats,
    p: Floats,
    published: Bools,
    paper: Floats,
    executed: Floats,
    bins: Ints,
    horizon_ms: int,
    believed: Sequence[Rule] = (),
    counts: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return (r, weight) of the lane that compares a window with the later steps of its day."""
    counted = np.ones(len(day)) if counts is None else counts
    h = counted * overlap(p)
    level = levels(day, u0, p, published, executed)
    e = counted * scores(p, published, paper, executed) - h * level
    z = np.hstack([np.ones((len(day), 1)), indicators(bins, believed)])
    ridge = RIDGE_BELIEVED * np.eye(z.shape[1])
    ridge[0, 0] = 0.0
    r, weight = np.zeros(len(day)), np.zeros(len(day))
    for d in np.unique(day).tolist():
        windows = np.flatnonzero(day == d)
        if np.isnan(level[windows]).any() or not (h[windows] > 0).any():
            continue
        step = steps_of(end_ms[windows], h[windows], horizon_ms)
        for s in np.unique(step).tolist():
            here, later = windows[step == s], windows[step > s]
            h_here, h_later = float(h[here].sum()), float(h[later].sum())
            if h_later <= NOTHING:
                continue
            w = h_later / (h_later + h_here)
            theta = np.linalg.solve(ridge + z[later].T @ (h[later, None] * z[later]), z[later].T @ e[later])
            for t in here:
                r[t] = w * (e[t] - h[t] * float(z[t] @ theta))
                weight[t] = w * h[t]
    return r, weight


def block_sums(values: Floats, day: Ints, block: Ints, windows: Bools) -> list[tuple[int, float]]:
    """Return (day, sum of `values` over the chosen windows) of every six-hour block of every day."""
    found: list[tuple[int, float]] = []
    for d in np.unique(day).tolist():
        for b in range(BLOCKS):
            found.append((d, float(values[windows & (day == d) & (block == b)].sum())))
    return found


def centred_sums(
    r: Floats, weight: Floats, day: Ints, block: Ints, windows: Bools, centre: bool
) -> list[tuple[int, float]]:
    """Return (day, sum) of a rule's windows by block, less its share on the OTHER days of what all windows sum."""
    if not centre:
        return block_sums(r, day, block, windows)
    found = []
    for d in np.unique(day).tolist():
        others = day != d
        whole = float(weight[others].sum())
        share = float(weight[others & windows].sum()) / whole if whole > NOTHING else 0.0
        for b in range(BLOCKS):
            here = (day == d) & (block == b)
            if here.any():
                found.append((d, float(r[here & windows].sum()) - share * float(r[here].sum())))
    return found


def evidence(
    r: Floats,
    weight: Floats,
    day: Ints,
    block: Ints,
    bins: Ints,
    rules: Sequence[Rule],
    n_l: Sequence[int],
    g: Floats,
    centre: bool = False,
) -> tuple[Floats, Floats, Floats]:
    """Return T, M and U of every rule in one lane; `n_l` is the number of rules as long as each in the vocabulary."""
    t, m, u = np.zeros(len(rules)), np.zeros(len(rules)), np.zeros(len(rules))
    for k, rule in enumerate(rules):
        windows = inside(bins, rule)
        top = squares = weights = 0.0
        for d, total in centred_sums(r, weight, day, block, windows, centre):
            top += g[d] * total
            squares += g[d] ** 2 * total**2
        for d, total in block_sums(weight, day, block, windows):
            weights += g[d] * total
        t[k] = top / math.sqrt(squares) if squares > 0 else 0.0
        m[k] = t[k] ** 2 / 2 - math.log(n_l[k])
        u[k] = top / weights if weights > 0 else 0.0
    return t, m, u


def largest_of_draws(
    r: Floats,
    day: Ints,
    block: Ints,
    bins: Ints,
    rules: Sequence[Rule],
    n_l: Sequence[int],
    g: Floats,
    xi: Floats,
    eligible: Sequence[bool] | Bools,
    weight: Floats | None = None,
) -> Floats:
    """Return M*: the largest M of every draw over the eligible rules of one lane."""
    largest = np.full(xi.shape[1], -np.inf)
    for k, rule in enumerate(rules):
        if not eligible[k]:
            continue
        tops, squares = np.zeros(xi.shape[1]), 0.0
        held = np.zeros(len(r)) if weight is None else weight
        for d, total in centred_sums(r, held, day, block, inside(bins, rule), weight is not None):
            tops += xi[d] * (g[d] * total)
            squares += g[d] ** 2 * total**2
        drawn = tops / math.sqrt(squares) if squares > 0 else np.zeros(xi.shape[1])
        largest = np.maximum(largest, drawn**2 / 2 - math.log(n_l[k]))
    return largest


def critical(
    r: Floats,
    day: Ints,
    block: Ints,
    bins: Ints,
    rules: Sequence[Rule],
    n_l: Sequence[int],
    g: Floats,
    xi: Floats,
    eligible: Sequence[bool] | Bools,
    alpha: float,
    weight: Floats | None = None,
) -> float:
    """Return the lane's critical value: the ceil((1 - alpha)(J + 1))-th smallest M* of J draws."""
    largest = sorted(float(one) for one in largest_of_draws(r, day, block, bins, rules, n_l, g, xi, eligible, weight))
    place = math.ceil((1 - Fraction(str(float(alpha)))) * (len(largest) + 1))
    return largest[place - 1] if place <= len(largest) else math.inf


def bound(u: float, t: float, n_l: int, c: float) -> float:
    """Return |U| (1 - sqrt(2 c + 2 ln N_L) / |T|) of one rule; NaN where it is not defined."""
    inner = 2 * c + 2 * math.log(n_l)
    if t == 0 or not inner >= 0:
        return math.nan
    return abs(u) * (1 - math.sqrt(inner) / abs(t))


def judge(
    residuals: tuple[Floats, Floats],
    day: Ints,
    block: Ints,
    bins: Ints,
    rules: Sequence[Rule],
    n_l: Sequence[int],
    g: Floats,
    xi: Floats,
    eligible: Sequence[bool] | Bools,
    alpha: float,
    centre: bool = False,
) -> Lane:
    """Return what one lane says, from its residuals and weights."""
    r, weight = residuals
    t, m, u = evidence(r, weight, day, block, bins, rules, n_l, g, centre)
    c = critical(r, day, block, bins, rules, n_l, g, xi, eligible, alpha, weight if centre else None)
    bounds = [bound(float(u[k]), float(t[k]), n_l[k], c) for k in range(len(rules))]
    return Lane(t, m, u, c, np.array(bounds, dtype=np.float64))


def verdict(
    *,
    end_ms: Ints,
    day: Ints,
    block: Ints,
    u0: Floats,
    p: Floats,
    published: Bools,
    paper: Floats,
    executed: Floats,
    bins: Ints,
    horizon_ms: int,
    rules: Sequence[Rule],
    n_l: Sequence[int],
    g: Floats,
    xi: Floats,
    alpha: float,
    eligible: Sequence[bool] | Bools,
    eligible_f: Sequence[bool] | Bools | None = None,
    believed: Sequence[Rule] = (),
    weigh: bool = True,
) -> Verdict:
    """Return both lanes and their joint verdict; `eligible_f` is for lane F when its eligible rules are others.

    Without `weigh` all blocks count alike.

    A rule is evidence only when it is eligible and M exceeds the critical value in both lanes, with one sign of T.
    """
    for_f = eligible if eligible_f is None else eligible_f
    counts = block_weights(day, block, u0, p, published, paper, executed) if weigh else None
    in_s = lane_s(day, u0, p, published, paper, executed, bins, believed, counts)
    in_f = lane_f(end_ms, day, u0, p, published, paper, executed, bins, horizon_ms, believed, counts)
    s = judge(in_s, day, block, bins, rules, n_l, g, xi, eligible, alpha)
    f = judge(in_f, day, block, bins, rules, n_l, g, xi, for_f, alpha, centre=True)
    found = np.zeros(len(rules), dtype=bool)
    for k in range(len(rules)):
        passed = s.m[k] > s.critical and f.m[k] > f.critical
        found[k] = bool(eligible[k]) and bool(for_f[k]) and passed and s.t[k] * f.t[k] > 0
    return Verdict(s, f, found, np.minimum(np.abs(s.u), np.abs(f.u)), np.minimum(s.bound, f.bound))
