"""What a detector's card says, as numbers: quality over days, kernel terms, payoffs with intervals, failure modes.

Everything comes from digests and frozen tables of days that are over; payoffs are grouped by the day on which they
matured, and intervals are clustered by day. No wording belongs here (see `card`).
(Literature: model cards, Mitchell et al. 2019; cluster-robust error, Liang and Zeger 1986.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.cards.lifecycle import Life
from lotus.detectors.daily.history import DayHistory
from lotus.detectors.daily.quality import Matured, matured
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.scoring.signal_spec import VETOES
from lotus.detectors.spec import JITTER, DetectorSpec
from lotus.priors.vocabulary import FEATURES

MIN_CONTEXT = 30  # windows of a context that is shown
SHOWN_CONTEXTS = 5
TERMS = ("kr_coherence", "kr_phi", "theta0", "kr_rho", "kr_emergence", "kr_novelty", "tau_pub", "temperature")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean in bps with its 95 % interval over `days` clusters; low and high are None below two days."""

    mean: float
    low: float | None
    high: float | None
    windows: int
    days: int


@dataclass(frozen=True, slots=True)
class QualityDay:
    """sq_score of one day with its parts, and the names that stood at their neutral value."""

    day: str
    sq_score: float
    parts: Mapping[str, float]
    neutral: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """Result of one audit of the day, of one detector or ("") of all."""

    name: str
    passed: bool
    text: str
    detector_id: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """Mean payoff inside one bin of one context feature."""

    label: str
    payoff: Estimate


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card of one detector version after `day`; sums run over the days of `quality`, at most 20."""

    detector_id: str
    version: int
    spec_id: str
    spec: Mapping[str, Any]
    siblings: int
    day: str
    days: int
    life: Life
    experts_ver: str
    versions: tuple[str, ...]
    quality: tuple[QualityDay, ...]
    terms: Mapping[str, float]
    signals: int
    eligible: int
    published: int
    vetoes: Mapping[str, int]
    due: int
    dropped: int
    all_p: Estimate | None
    published_p: Estimate | None
    published_y: Estimate | None
    contexts: tuple[Context, ...] = ()
    audits: tuple[AuditResult, ...] = field(default=())


def card_facts(
    d: int,
    spec: DetectorSpec,
    history: Sequence[DayHistory],
    tables: Sequence[DayTables],
    lives: Sequence[Life],
    audits: Sequence[AuditResult],
    experts_ver: str,
) -> CardFacts:
    """Return the facts of detector `d` after the last of `history` (rising days, `tables` in force on them).

    `experts_ver`: the experts in force on the last day.
    """
    m = matured(history, d)
    own_rows = [h.detector == d for h in history]
    veto = np.concatenate([h.veto[rows] for h, rows in zip(history, own_rows, strict=True)])
    published = np.concatenate([h.published[rows] for h, rows in zip(history, own_rows, strict=True)])
    own = [x for x in lives if x.detector_id == spec.detector_id]
    life = next(x for x in own if x.version == spec.version)
    last = tables[-1]
    place = last.detector_ids.index(spec.detector_id)
    return CardFacts(
        detector_id=spec.detector_id,
        version=spec.version,
        spec_id=spec.spec_id,
        spec=spec.as_json(),
        siblings=len(JITTER) - 1,
        day=history[-1].day,
        days=len(history),
        life=life,
        experts_ver=experts_ver,
        versions=tuple(f"v{x.version} {x.stage} since {x.since}" for x in own),
        quality=tuple(quality_day(t, spec.detector_id) for t in tables if t.day >= life.born),
        terms={name: getattr(last, name)[place] for name in TERMS},
        signals=len(veto),
        eligible=int(np.count_nonzero(veto == 0)),
        published=int(np.count_nonzero(published)),
        vetoes={name: int(np.count_nonzero(veto & bit)) for bit, name in VETOES.items()},
        due=int(sum(h.due[d] for h in history)),
        dropped=int(sum(h.dropped[d] for h in history)),
        all_p=estimate(m.payoff, m.day),
        published_p=estimate(m.payoff[m.published], m.day[m.published]),
        published_y=_executed(m),
        contexts=contexts(m),
        audits=tuple(audits),
    )


def quality_day(tables: DayTables, detector_id: str) -> QualityDay:
    """Return the quality that was in force on one day."""
    place = tables.detector_ids.index(detector_id)
    return QualityDay(tables.day, tables.sq_score[place], dict(tables.quality[place]), tables.neutral[place])


def estimate(values: NDArray[np.float64], day: NDArray[np.int64]) -> Estimate | None:
    """Return mean ± t·se over G days, se² = G/(G−1) Σ_g (Σ_{i in g} (x_i − mean))² / n²; None without a value.

    `values` f8 [n] in bps, `day` i8 [n] their cluster, t the 97.5 % point of Student with G − 1 degrees.
    """
    n = len(values)
    if not n:
        return None
    mean = float(values.mean())
    groups, back = np.unique(day, return_inverse=True)
    count = len(groups)
    if count < 2:
        return Estimate(mean, None, None, n, count)
    sums = np.bincount(back, weights=values - mean)
    error = float(np.sqrt(count / (count - 1) * np.sum(sums * sums))) / n
    reach = _student(0.975, count - 1) * error
    return Estimate(mean, mean - reach, mean + reach, n, count)


def contexts(m: Matured) -> tuple[Context, ...]:
    """Return the payoff inside every context bin with at least 30 windows, worst mean first."""
    groups = []
    for f, feature in enumerate(FEATURES):
        for b in range(feature.bins):
            rows = m.bins[:, f] == b
            if np.count_nonzero(rows) >= MIN_CONTEXT:
                inside = estimate(m.payoff[rows], m.day[rows])
                assert inside is not None
                name = f"d*{feature.name}" if feature.aligned else feature.name
                groups.append(Context(f"{name} = {feature.labels[b] if feature.labels else b}", inside))
    return tuple(sorted(groups, key=lambda c: (c.payoff.mean, c.label)))


def _executed(m: Matured) -> Estimate | None:
    finite = np.isfinite(m.executed)
    return estimate(m.executed[finite], m.day[finite])


def _student(level: float, degrees: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(degrees, level))
