"""The second channel: one baseline over the other days, whole days as blocks, for features that hardly move in a day.

A contrast inside the day cannot see what is constant all day. Here the baseline of a day is fitted over all OTHER days
together, so day effects stay in and only days are independent: weaker, hence its own small error budget, and a rule
found here is proposed as an experiment (grade C), never activated. A day that scatters far more than the others is
weighed down to three times their usual scatter: signs by day hold for symmetric days only, and one huge day is none.
It reads the windows, which it does on the few nights with a slot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.basis import Basis
from lotus.learning.bench import Bench
from lotus.learning.cube import accumulate
from lotus.learning.demean import demean_by_others
from lotus.learning.effect import lane_sums
from lotus.learning.greedy import candidate
from lotus.learning.lanes import Both
from lotus.learning.lesson import Lesson
from lotus.learning.rows import DetectorRows
from lotus.learning.search import Evidence, best_rule, draw_maxima, evidence_of, one_look_critical
from lotus.learning.slots import Look, SlotState, allowance_tonight, nightly_look

REASON = "pooled baseline, days as blocks: propose an experiment"
WINSOR = 3.0  # times the median scatter of a day

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Pool:
    bench: Bench
    evidence: Evidence
    number: int
    best: float


def propose(
    benches: Sequence[Bench], rows_of: Callable[[str], DetectorRows], signs: Floats, night: int, state: SlotState
) -> tuple[tuple[Lesson, ...], Look]:
    """Return the proposals of a night and what was looked at; `signs` [days, draws] are those of the first channel.

    With `looks = "final"` every call looks once, at `pooled_alpha`; with "nightly" its own slots decide. Per detector
    the best rule beyond the critical value that passes the gates is proposed.
    """
    settings = benches[0].settings if benches else None
    if settings is None or settings.pooled_alpha <= 0.0:
        return (), Look(0, np.inf, state)
    nightly = settings.looks == "nightly"
    if nightly and not allowance_tonight(state, night, settings.draws, settings.pooled_alpha):
        return (), nightly_look(state, night, -np.inf, np.full(settings.draws, -np.inf), settings.pooled_alpha)
    pools = [_pool(bench, rows_of(bench.detector_id)) for bench in benches if bench.family.eligible.any()]
    if not pools:
        return (), Look(0, np.inf, state)
    real = max(pool.best for pool in pools)
    parts = [draw_maxima(p.evidence, p.bench.family.eligible, signs, p.bench.space) for p in pools]
    maxima = np.max(parts, axis=0)
    if nightly:
        look = nightly_look(state, night, real, maxima, settings.pooled_alpha)
    else:
        look = Look(0, one_look_critical(maxima, settings.pooled_alpha), state)
    bar = max(look.critical, settings.min_evidence_nats)
    found = [_proposal(pool, rows_of(pool.bench.detector_id), bar) for pool in pools if pool.best > bar]
    return tuple(lesson for lesson in found if lesson.state == "MODEL_ONLY"), look


def _residual(bench: Bench, rows: DetectorRows) -> tuple[Basis, Floats]:
    """Return (basis, scores demeaned on it over the other days), days of large scatter weighed down."""
    rows, basis = rows.weighed(), rows.basis(bench.believed)
    r = demean_by_others(basis, rows.h, rows.f, rows.day, len(rows.days))
    scatter = np.sqrt(np.bincount(rows.day, weights=r * r, minlength=len(rows.days)))
    usual = float(np.median(scatter[scatter > 0.0])) if np.any(scatter > 0.0) else 0.0
    share = np.minimum(1.0, WINSOR * usual / np.where(scatter > 0.0, scatter, 1.0))
    return basis, share[rows.day] * r


def _pool(bench: Bench, rows: DetectorRows) -> _Pool:
    days = np.arange(len(rows.days))
    cube = accumulate(rows.bins, rows.day, _residual(bench, rows)[1], len(days), bench.space.subsets)
    evidence = evidence_of(bench.space.lean(cube), days, bench.g, bench.space, bench.family.weight.day)
    number, best = best_rule(np.where(bench.family.eligible, evidence.m, -np.inf), bench.space)
    return _Pool(bench, evidence, number, best)


def _proposal(pool: _Pool, table: DetectorRows, bar: float) -> Lesson:
    rows = replace(table, lane=table.day, lane_day=np.arange(len(table.days)))  # whole days as blocks
    basis, r = _residual(pool.bench, rows)
    settings = replace(pool.bench.settings, min_blocks=pool.bench.settings.min_days)
    bench = replace(pool.bench, settings=settings)
    covered = rows.covered(bench.space.rule(pool.number))
    sums = lane_sums(rows, r, basis, covered)
    evidence = Both(pool.evidence, pool.evidence)
    lesson = candidate(bench, rows, evidence, pool.number, Both(bar, bar), Both(sums, sums), covered)
    if lesson.state == "REFUSED":
        return lesson.named()
    blank = (0.0, 0.0)  # the contrast is one inside the day
    return replace(
        lesson, grade="C", state="MODEL_ONLY", reason=REASON, contrast_bps=0.0, contrast_ci95=blank, lanes=()
    ).named()
