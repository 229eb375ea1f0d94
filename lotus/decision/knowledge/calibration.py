"""From a score to an expectation: what windows of one source, horizon and regime paid, learned from the past alone.

A curve per cell is isotonic in the score (a higher score never promises less) and drawn towards the next coarser cell:

m(x) = (n iso(x) + k m_parent(x)) / (n + k)   of cells (source, horizon, regime), (source, horizon), (kind, horizon)

mu(x) = max(m(x), 0): a source that loses is silent, it is not believed the other way round. The promise is lambda mu
with lambda = N / (N + k0), N the weight of the outcomes of the source at that horizon: a source without a past promises
nothing. It fades by one half each half-life, which is read from the mark-outs. All payoffs are in the direction of the
signal and before costs, in bps. What is read are the daily sums of `evidence`. In the literature: isotonic calibration
(Zadrozny and Elkan 2002) with partial pooling (Gelman and Hill 2007), shrinkage to zero. How far promises were kept is
`reliability`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.decision.alphas import ANY_REGIME, AlphaInput
from lotus.decision.knowledge.evidence import Columns, Ints, Table, coded, grouped, joined
from lotus.decision.policy.policy import CalibrationRule
from lotus.errors import LookAheadError
from lotus.hashing import natural_id, round_learned
from lotus.priors.claims import NO_LEVEL
from lotus.timebase import next_day

Floats = NDArray[np.float64]
HALF_LIVES: Final = tuple(0.125 * 2.0**k for k in range(9))  # tried, in horizons: an eighth to 32
CellKey = tuple[str, int, str]  # (source, or kind + ":"), horizon_s, regime ("" = all regimes)


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

    `cell` says where it was read; `reliability` weighs it in the fusion. Where the claims of its fired braids are heard
    (`claims`), `claim_added_bps` of `mu_bps` is what they did, by `claim_slope` of `claim_bps` at `claim_level`.
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
    claim_bps: float = 0.0
    claim_level: int = NO_LEVEL
    claim_slope: float = 0.0
    claim_added_bps: float = 0.0


@dataclass(frozen=True, slots=True)
class ScoreCalibration:
    """All cells fitted for the use on `day` and later; `version` is the hash of their content."""

    day: str
    cells: tuple[Cell, ...]
    shrink_support: float
    version: str

    def cells_of(self, source: str, horizon_s: int, regime: str) -> tuple[Cell, Cell] | None:
        """Return the finest cell of a source and the one of all its regimes; None for a source without a past there."""
        by_key = {cell.key: cell for cell in self.cells}
        fine, *_, own = (by_key.get(key) for key in ((source, horizon_s, regime), (source, horizon_s, "")))
        return None if own is None else (fine or own, own)

    def shrinkage(self, own: Cell) -> float:
        """Return lambda of a source, from the cell of all its regimes."""
        return own.support / (own.support + self.shrink_support)

    def alpha(self, view: AlphaInput, reliability: float, now_ms: int) -> DmAlpha | None:
        """Return what an input promises now; None for a source without a past at that horizon."""
        cells = self.cells_of(view.source, view.horizon_s, view.regime)
        if cells is None:
            return None
        cell, own = cells
        shrinkage = self.shrinkage(own)
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


def calibrate(evidence: Mapping[str, Columns], day: str, rule: CalibrationRule) -> ScoreCalibration:
    """Fit every cell for the use on `day`, from the sums of outcomes of the `history_days` days before it.

    `evidence` holds `evidence.outcome_sums` by the day on which the outcomes were known. Raises `LookAheadError` when
    one is of `day` or later: it could not have been known.
    """
    late = sorted(d for d in evidence if d >= day)
    if late:
        found = f"evidence of {', '.join(late)}"
        raise LookAheadError(found, f"outcomes that matured before {day}", "not cut at the day of use")
    first = next_day(day, -rule.history_days)
    tables = [evidence[d] for d in sorted(evidence) if d >= first]
    made: dict[CellKey, Cell] = {}
    groups = _groups(joined(tables)) if tables else {}
    for level in (2, 1, 0):
        for key in sorted(k for k in groups if _level(k) == level):
            rows = groups[key]
            if float(rows["w"].sum()) >= rule.min_support:
                made[key] = _fit(key, rows, made.get(_parent(key)), rule)
    cells = tuple(made[key] for key in sorted(made))
    return ScoreCalibration(day, cells, rule.shrink_support, natural_id("calibration", day, repr((cells, rule))))


def isotonic(scores: Floats, bps: Floats, weights: Floats, counts: Ints, bins: int) -> tuple[Floats, Floats]:
    """Return knots (score, bps) f8 [k] of the least-squares rising curve over at most `bins` groups of like scores.

    `scores` rise and are distinct; `counts` is how many outcomes each stands for: groups hold about equally many, and
    those of one score stay together. Pool-adjacent-violators with the groups' weights (SciPy).
    """
    from scipy.optimize import isotonic_regression

    total = int(counts.sum())
    first = np.cumsum(counts) - counts
    group = np.unique(first * min(bins, total) // total, return_inverse=True)[1]
    size = np.bincount(group, weights)
    level = np.bincount(group, bps * weights) / size
    knots = np.bincount(group, scores * weights) / size
    return knots, np.asarray(isotonic_regression(level, weights=size).x, dtype=np.float64)


def half_life_of(paid_bps: Mapping[int, float], horizon_s: int) -> float:
    """Return the half-life in s under which mark-outs approach what the horizon paid: a (1 - 2^(-t/h)) over a grid.

    `paid_bps` is the mean move by seconds, at the horizon and on the way. The horizon itself when nothing on the way is
    known, or what is known says nothing (nothing was paid).
    """
    if len(paid_bps) < 2:
        return float(horizon_s)
    times = np.array(sorted(paid_bps), dtype=np.float64)
    mean = np.array([paid_bps[int(t)] for t in times])
    best, error = float(horizon_s), np.inf
    for share in HALF_LIVES:
        shape = 1.0 - 2.0 ** (-times / (share * horizon_s))
        size = float(shape @ mean) / float(shape @ shape)
        squares = float(((mean - size * shape) ** 2).sum())
        if size > 0.0 and squares < error * (1.0 - 1e-9):
            best, error = share * horizon_s, squares
    return best


def _groups(rows: Columns) -> dict[CellKey, Table]:
    """Return the sums of every cell by bin of the score, rising."""
    sources, source = coded(rows["source"])
    regimes, regime = coded(rows["regime"])
    horizon = rows["horizon_s"].astype(np.int64)
    members: dict[CellKey, list[int]] = {}
    for k, fine in enumerate(zip(source.tolist(), horizon.tolist(), regime.tolist(), strict=True)):
        members.setdefault((sources[fine[0]], fine[1], regimes[fine[2]]), []).append(k)
    wanted: dict[CellKey, list[int]] = {}
    for (name, horizon_s, of_regime), own_rows in members.items():
        for key in cell_chain(name, horizon_s, of_regime):
            wanted.setdefault(key, []).extend(own_rows)
    keys, bins = ("source", "horizon_s", "regime", "score_bin"), rows["score_bin"].astype(np.int64)
    values = {name: column.astype(np.float64) for name, column in rows.items() if name not in keys}
    groups = {}
    for key, own_rows in wanted.items():
        kept = sorted(own_rows)
        groups[key] = grouped((bins[kept],), {name: column[kept] for name, column in values.items()})[1]
    return groups


def _level(key: CellKey) -> int:
    return 0 if key[2] else 2 if key[0].endswith(":") else 1


def _parent(key: CellKey) -> CellKey:
    source, horizon, regime = key
    return (source, horizon, "") if regime else (source.partition(":")[0] + ":", horizon, "")


def _fit(key: CellKey, rows: Columns, parent: Cell | None, rule: CalibrationRule) -> Cell:
    w, wy = rows["w"].astype(np.float64), rows["wy"].astype(np.float64)
    x = rows["wx"].astype(np.float64) / w
    knots, level = isotonic(x, wy / w, w, rows["n"].astype(np.int64), rule.bins)
    n, fitted = float(w.sum()), np.interp(x, knots, level)
    residual = max(float((rows["wyy"].astype(np.float64) - 2.0 * fitted * wy + fitted * fitted * w).sum()), 0.0) / n
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
        half_life_s=half_life_of(_paid(rows, key[1]), key[1]),
        support=float(f"{n:.8e}"),
    )


def _paid(rows: Columns, horizon_s: int) -> dict[int, float]:
    """Return the mean move by seconds up to the horizon."""
    count = float(rows["n"].sum())
    times = [int(name.removeprefix("bps_")) for name in rows if name.startswith("bps_")]
    return {t: float(rows[f"bps_{t}"].sum()) / count for t in times if t <= horizon_s}
