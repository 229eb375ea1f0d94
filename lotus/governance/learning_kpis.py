"""LEARNING_KPIS: whether learning helps, each number with its interval and n. Nothing steers by them.

A day leaves sums (LEARNING_DAY): new patches, what all braids were worth, and what exploring by experiments was worth.
dV of all braids = sum (pi - pi0)[P + (A/p)(Y - P)] bps, pi0 the propensity without any braid; the part of it that a
running experiment's floor adds is the price of exploration, the rest the learning value. KPIs sum the last 30 learning
days. What is divided by CPU time is made when it is shown: costs stand beside, in no hash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.curation.value import MIN_DAYS, gained, over_days
from lotus.governance.survival import PatchLife, median_life
from lotus.hashing import round_learned
from lotus.learning.payoff_scores import bins_of
from lotus.priors.vocabulary import Vocabulary, rule_mask
from lotus.weave.braid import Braid

Columns = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
KPI_DAYS: Final = 30
BPS: Final = 1e4
UNKNOWN: Final = float("nan")
_MOVED: Final = 1e-9  # less is rounding of a propensity that is computed again

LEARNING_DAY: Final = TableSpec(
    "learning_day",
    ("day",),
    (
        Column("day", "text", "", "learning day"),
        Column("patches", "i8", "braids", "micro braids that came in force in its nightly run", low=0),
        Column("windows", "i8", "windows", "matured windows whose propensity beliefs moved", low=0),
        Column("learned_bps", "f8", "bps", "dV of braids but what floors of experiments add"),
        Column("explored_bps", "f8", "bps", "dV of floors of running experiments; below zero it cost"),
    ),
)
LEARNING_KPIS: Final = TableSpec(
    "learning_kpis",
    ("kpi",),
    (
        Column("kpi", "text", "", "name"),
        Column("value", "f8", "as `unit`", "estimate; null where nothing shows it yet", True),
        Column("low", "f8", "as `unit`", "lower end of its 95 % interval", True),
        Column("high", "f8", "as `unit`", "upper end", True),
        Column("n", "i8", "days or lives", "what it rests on", low=0),
        Column("unit", "text", "", "unit of the three numbers"),
    ),
)


@dataclass(frozen=True, slots=True)
class LearningKpi:
    """One number about the learning: estimate and 95 % interval (NaN: not known), n, unit."""

    kpi: str
    value: float
    low: float
    high: float
    n: int
    unit: str

    def over(self, hours: float, name: str, unit: str) -> "LearningKpi":
        """Return it per so many hours, taken as exact."""
        return LearningKpi(name, self.value / hours, self.low / hours, self.high / hours, self.n, unit)


def learning_day(
    day: str, scores: Columns, experiments: Sequence[Braid], patches: int, words: Vocabulary
) -> dict[str, NDArray[np.generic]]:
    """Return the row of a day from PAYOFF_SCORES of its matured windows and the experiments that ran on it."""
    pi, paper, executed = (_floats(scores, name) for name in ("p", "payoff_p", "payoff_y"))
    published = np.asarray(scores["published"], np.bool_)
    without = np.where(pi > 0.0, 1.0 / (1.0 + np.exp(-np.clip(_floats(scores, "u0"), -700.0, 700.0))), 0.0)
    without = np.where(np.abs(pi - without) > _MOVED, without, pi)
    unexplored = pi - added_by_floors(scores, experiments, words, pi, without)
    explored = gained(pi, unexplored, published, paper, executed)
    learned = gained(pi, without, published, paper, executed) - explored
    moved = int(np.count_nonzero(pi != without))
    sums = round_learned(np.array([learned.sum(), explored.sum()])).tolist()
    values = (day, patches, moved, *sums)
    return {n: np.array([v], LEARNING_DAY.numpy_dtype(n)) for n, v in zip(LEARNING_DAY.names, values, strict=True)}


def added_by_floors(
    scores: Columns, experiments: Sequence[Braid], words: Vocabulary, pi: Floats, without: Floats
) -> Floats:
    """Return what the floors of running experiments added to the propensities [n] of windows in their rules."""
    added = np.zeros(len(pi))
    detectors = np.asarray(scores["detector_id"])
    for braid in experiments:
        if braid.experiment is None:
            continue
        inside = (detectors == braid.detector_id) & rule_mask(braid.rule, bins_of(scores, words))
        more = np.maximum(0.0, np.minimum(pi, braid.experiment.floor) - without)
        added = np.maximum(added, np.where(inside, more, 0.0))
    return added


def learning_kpis(
    days: Sequence[Columns], braids: Sequence[Columns], lives: Sequence[PatchLife], notional_usd: float
) -> list[LearningKpi]:
    """Return the KPIs of rows of LEARNING_DAY and of BRAID_DAYS, oldest first, and of the lives of all patches.

    `notional_usd` is the value of one probe.
    """
    recent = days[-KPI_DAYS:]
    learned, explored = ([float(day[name][0]) for day in recent] for name in ("learned_bps", "explored_bps"))
    usd = notional_usd / BPS
    life = median_life(lives)
    return [
        _yield(sum(int(day["patches"][0]) for day in recent), len(recent)),
        LearningKpi("half_life", _known(life.median), _known(life.low), _known(life.high), life.lives, "days"),
        _kept(braids[-KPI_DAYS:]),
        _sum("learning_value", learned, usd),
        _sum("exploration_cost", explored, -usd),
        _sum("net_value", [a + b for a, b in zip(learned, explored, strict=True)], usd),
    ]


def kpi_columns(found: Sequence[LearningKpi]) -> dict[str, NDArray[np.generic]]:
    """Return LEARNING_KPIS in key order, numbers rounded as learned ones are."""
    rows = sorted(found, key=lambda one: one.kpi)
    columns: dict[str, NDArray[np.generic]] = {}
    for name in LEARNING_KPIS.names:
        values = np.array([getattr(one, name) for one in rows], LEARNING_KPIS.numpy_dtype(name))
        columns[name] = round_learned(values) if values.dtype == np.float64 else values
    return columns


def kpis_of(columns: Columns) -> list[LearningKpi]:
    """Return the KPIs of a table."""
    return [LearningKpi(*row) for row in zip(*(columns[name].tolist() for name in LEARNING_KPIS.names), strict=True)]


def _yield(patches: int, days: int) -> LearningKpi:
    """Return patches per 30 learning days with the exact interval of a count (Garwood 1936)."""
    from scipy.special import chdtri

    if days == 0:
        return LearningKpi("yield", UNKNOWN, UNKNOWN, UNKNOWN, 0, "patches in 30 days")
    scale = KPI_DAYS / days
    low = 0.5 * float(chdtri(2 * patches, 0.975)) if patches else 0.0
    high = 0.5 * float(chdtri(2 * patches + 2, 0.025))
    return LearningKpi("yield", patches * scale, low * scale, high * scale, days, "patches in 30 days")


def _kept(days: Sequence[Columns]) -> LearningKpi:
    """Return realised over promised, sum c D / sum c^2 H over braid-days: 1 where lessons pay what they claim.

    Its interval is Student's over days, the residual of a day its sum of c (D - ratio c H).
    """
    sums = []
    for day in days:
        claim, gain, weight = (_floats(day, name) for name in ("claim_bps", "gain_bps", "weight"))
        if len(claim):
            sums.append((float(np.dot(claim, gain)), float(np.dot(claim**2, weight))))
    if not sums:
        return LearningKpi("realised_per_promised", UNKNOWN, UNKNOWN, UNKNOWN, 0, "ratio")
    gain_of, claim_of = np.array(sums).T
    ratio, reach = float(gain_of.sum() / claim_of.sum()), UNKNOWN
    if len(sums) >= MIN_DAYS:
        from scipy.special import stdtrit

        n, left = len(sums), gain_of - gain_of.sum() / claim_of.sum() * claim_of
        reach = float(stdtrit(n - 1, 0.975)) * float(np.sqrt(n / (n - 1) * np.sum(left**2)) / claim_of.sum())
    return LearningKpi("realised_per_promised", ratio, ratio - reach, ratio + reach, len(sums), "ratio")


def _sum(name: str, days: Sequence[float], scale: float) -> LearningKpi:
    found = over_days([scale * one + 0.0 for one in days])
    return LearningKpi(name, found.total, _known(found.low), _known(found.high), found.days, "USD in 30 days")


def _known(value: float | None) -> float:
    return UNKNOWN if value is None else value


def _floats(columns: Columns, name: str) -> Floats:
    return np.asarray(columns[name], dtype=np.float64)
