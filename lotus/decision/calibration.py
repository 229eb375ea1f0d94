"""From a score to an expectation: what windows of one source, horizon and regime paid, learned from the past alone.

A curve per cell is isotonic in the score (a higher score never promises less) and drawn towards the next coarser cell:

m(x) = (n iso(x) + k m_parent(x)) / (n + k)   of cells (source, horizon, regime), (source, horizon), (kind, horizon)

mu(x) = max(m(x), 0): a source that loses is silent, it is not believed the other way round. The promise is lambda mu
with lambda = N / (N + k0), N the weight of the outcomes of the source at that horizon: a source without a past promises
nothing. It fades by one half each half-life, which is read from the mark-outs. All payoffs are in the direction of the
signal and before costs, in bps. In the literature: isotonic calibration (Zadrozny and Elkan 2002) with partial pooling
(Gelman and Hill 2007), shrinkage to zero. How far promises were kept is `reliability`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.decision.alphas import ANY_REGIME, AlphaInput
from lotus.decision.policy import CalibrationRule
from lotus.errors import LookAheadError
from lotus.hashing import natural_id, round_learned
from lotus.timebase import next_day

Floats = NDArray[np.float64]
HALF_LIVES: Final = tuple(0.125 * 2.0**k for k in range(9))  # tried, in horizons: an eighth to 32
CellKey = tuple[str, int, str]  # (source, or kind + ":"), horizon_s, regime ("" = all regimes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one window paid after it was told: `realised_bps` at its horizon, in its direction, before costs.

    `issued_day` and `matured_day` (YYYY-MM-DD) are those of the window's end and of its horizon's. `markouts` are
    (seconds, bps) on the way. `promised_bps` and `sigma_bps` are what the decision-maker said at the time, None when
    it said nothing. `weight` in [0, 1] is what an outcome counts where horizons overlap (`evidence.uniqueness`).
    """

    event_id: str
    source: str
    horizon_s: int
    regime: str
    score: float
    realised_bps: float
    issued_day: str
    matured_day: str
    markouts: tuple[tuple[int, float], ...] = ()
    promised_bps: float | None = None
    sigma_bps: float | None = None
    weight: float = 1.0

    @property
    def kind(self) -> str:
        """`det`, `human` or `chart`."""
        return self.source.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Cell:
    """One fitted cell: knots of the curve by rising score, residual deviation, half-life, weight of its outcomes."""

    key: CellKey
    scores: tuple[float, ...]
    bps: tuple[float, ...]
    sigma_bps: float
    half_life_s: float
    support: float

    def at(self, score: float) -> float:
        """Return the pooled curve at a score: linear between knots, flat beyond them."""
        return float(np.interp(score, self.scores, self.bps))


@dataclass(frozen=True, slots=True)
class DmAlpha:
    """A calibrated view: `mu_bps` signed, over the horizon, shrunk by `shrinkage` and faded; `raw_mu_bps` before both.

    `cell` says where it was read; `reliability` weighs it in the fusion.
    """

    source: str
    coin: str
    horizon_s: int
    event_id: str
    lifecycle_id: str
    mu_bps: float
    raw_mu_bps: float
    shrinkage: float
    sigma_bps: float
    half_life_s: float
    reliability: float
    support: float
    cell: CellKey
    valid_until_ms: int
    triggers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """All cells fitted for the use on `day` and later; `version` is the hash of their content."""

    day: str
    cells: tuple[Cell, ...]
    shrink_support: float
    version: str

    def alpha(self, view: AlphaInput, reliability: float, now_ms: int) -> DmAlpha | None:
        """Return what an input promises now; None where nothing like it was ever seen (no cell, or no source)."""
        by_key = {cell.key: cell for cell in self.cells}
        chain = cell_chain(view.source, view.horizon_s, view.regime)
        cell = next((by_key[key] for key in chain if key in by_key), None)
        own = by_key.get(chain[-2])
        if cell is None or own is None:
            return None
        shrinkage = own.support / (own.support + self.shrink_support)
        raw = max(cell.at(view.score), 0.0) * view.sign
        age_s = max(now_ms - view.window_end_ms, 0) / 1000.0
        return DmAlpha(
            source=view.source, coin=view.coin, horizon_s=view.horizon_s, event_id=view.event_id,
            lifecycle_id=view.lifecycle_id, mu_bps=raw * shrinkage * 2.0 ** (-age_s / cell.half_life_s),
            raw_mu_bps=raw, shrinkage=shrinkage, sigma_bps=cell.sigma_bps, half_life_s=cell.half_life_s,
            reliability=reliability, support=own.support, cell=cell.key, valid_until_ms=view.valid_until_ms,
            triggers=view.triggers,
        )  # fmt: skip


def cell_chain(source: str, horizon_s: int, regime: str) -> tuple[CellKey, ...]:
    """Return the cells in which an input is looked for, finest first; the last is that of its kind, then its source's.

    >>> cell_chain("det:flow@1", 300, "EU")
    (('det:flow@1', 300, 'EU'), ('det:flow@1', 300, ''), ('det:', 300, ''))
    """
    kind = source.partition(":")[0] + ":"
    fine = ((source, horizon_s, regime),) if regime != ANY_REGIME else ()
    return (*fine, (source, horizon_s, ""), (kind, horizon_s, ""))


def calibrate(outcomes: Iterable[Outcome], day: str, rule: CalibrationRule) -> Calibration:
    """Fit every cell for the use on `day`, from outcomes that matured on the `history_days` days before it.

    The order of the outcomes plays no part. Raises `LookAheadError` when one matured on `day` or later: it could not
    have been known.
    """
    rows = sorted(outcomes, key=lambda o: (o.matured_day, o.source, o.horizon_s, o.score, o.event_id))
    late = [o for o in rows if o.matured_day >= day]
    if late:
        found = f"{len(late)} outcomes from {late[0].matured_day} on, first {late[0].event_id}"
        raise LookAheadError(found, f"outcomes that matured before {day}", "not cut at the day of use")
    first = next_day(day, -rule.history_days)
    groups: dict[CellKey, list[Outcome]] = {}
    for o in rows:
        if o.matured_day >= first:
            for key in cell_chain(o.source, o.horizon_s, o.regime):
                groups.setdefault(key, []).append(o)
    made: dict[CellKey, Cell] = {}
    for level in (2, 1, 0):
        for key in sorted(k for k in groups if _level(k) == level):
            if math.fsum(o.weight for o in groups[key]) >= rule.min_support:
                made[key] = _fit(key, groups[key], made.get(_parent(key)), rule)
    cells = tuple(made[key] for key in sorted(made))
    return Calibration(day, cells, rule.shrink_support, natural_id("calibration", day, repr((cells, rule))))


def with_promises(outcomes: Sequence[Outcome], fitted: Mapping[str, Calibration]) -> list[Outcome]:
    """Return outcomes with what the calibration of the day of issue (`fitted` by day) would have promised.

    For days on which nobody wrote promises down. One without a cell, or issued on a day without calibration, stays as
    it is.
    """
    found: list[Outcome] = []
    for o in outcomes:
        view = AlphaInput(o.source, "", o.horizon_s, 1, o.score, o.event_id, "", 0, 0, o.regime)
        alpha = fitted[o.issued_day].alpha(view, 1.0, 0) if o.issued_day in fitted else None
        if alpha is not None and alpha.cell[0] == o.source:
            o = replace(o, promised_bps=alpha.mu_bps, sigma_bps=alpha.sigma_bps)
        found.append(o)
    return found


def isotonic(scores: Floats, bps: Floats, weights: Floats, bins: int) -> tuple[Floats, Floats]:
    """Return knots (score, bps) f8 [k] of the least-squares rising curve over at most `bins` groups of like scores.

    Equal scores stay in one group. Pool-adjacent-violators with the groups' weights (SciPy).
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(scores, kind="stable")
    x, y, w = scores[order], bps[order], weights[order]
    first = np.searchsorted(x, x, side="left")  # rank of the first like it: ties share a group
    group = np.unique(first * min(bins, len(x)) // len(x), return_inverse=True)[1]
    size = np.bincount(group, w)
    level = np.bincount(group, y * w) / size
    knots = np.bincount(group, x * w) / size
    return knots, np.asarray(isotonic_regression(level, weights=size).x, dtype=np.float64)


def half_life_of(rows: Sequence[Outcome], horizon_s: int) -> float:
    """Return the half-life in s under which mark-outs approach what the horizon paid: a (1 - 2^(-t/h)) over a grid.

    The horizon itself when there are no mark-outs, or none that say anything (nothing was paid).
    """
    paid: dict[int, list[float]] = {}
    for o in rows:
        for t, bps in (*o.markouts, (horizon_s, o.realised_bps)) if o.markouts else ():
            paid.setdefault(t, []).append(bps)
    if len(paid) < 2:
        return float(horizon_s)
    times = np.array(sorted(paid), dtype=np.float64)
    mean = np.array([float(np.mean(paid[int(t)])) for t in times])
    weight = np.array([float(len(paid[int(t)])) for t in times])
    best, error = float(horizon_s), np.inf
    for share in HALF_LIVES:
        shape = 1.0 - 2.0 ** (-times / (share * horizon_s))
        size = float(weight @ (shape * mean)) / float(weight @ (shape * shape))
        found = float(weight @ (mean - size * shape) ** 2)
        if size > 0.0 and found < error * (1.0 - 1e-9):
            best, error = share * horizon_s, found
    return best


def _level(key: CellKey) -> int:
    return 0 if key[2] else 2 if key[0].endswith(":") else 1


def _parent(key: CellKey) -> CellKey:
    source, horizon, regime = key
    return (source, horizon, "") if regime else (source.partition(":")[0] + ":", horizon, "")


def _fit(key: CellKey, rows: list[Outcome], parent: Cell | None, rule: CalibrationRule) -> Cell:
    x, y = np.array([o.score for o in rows]), np.array([o.realised_bps for o in rows])
    w = np.array([o.weight for o in rows])
    knots, level = isotonic(x, y, w, rule.bins)
    n, half_life = float(w.sum()), half_life_of(rows, key[1])
    residual = float(w @ (y - np.interp(x, knots, level)) ** 2) / n
    if parent is not None and parent.key != key:
        share = n / (n + rule.pool_support)
        both = np.unique(np.concatenate([knots, parent.scores]))
        level = share * np.interp(both, knots, level) + (1.0 - share) * np.interp(both, parent.scores, parent.bps)
        knots, residual = both, share * residual + (1.0 - share) * parent.sigma_bps**2
    return Cell(
        key=key,
        scores=tuple(round_learned(knots).tolist()),
        bps=tuple(round_learned(level).tolist()),
        sigma_bps=float(round_learned(np.array([np.sqrt(residual)]))[0]),
        half_life_s=half_life,
        support=float(f"{n:.8e}"),
    )
