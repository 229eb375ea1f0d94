"""A study as plain values: the object that `--json` prints and from which text and page are written.

Nothing is computed here that the study does not hold; what a lesson may do is reported, never done.
"""

import math
from dataclasses import asdict
from typing import Any

from lotus.learning.lanes import NAMES
from lotus.learning.lesson import Audit, Lesson
from lotus.learning.naive import NaiveRow
from lotus.learning.pooled import REASON as POOLED
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.power import COVERAGES, Detectable
from lotus.own_signals.replay import ReplayedLesson
from lotus.own_signals.report.readings import Readings
from lotus.own_signals.scores import ASSOCIATION, VARIANTS, DetectorFacts
from lotus.own_signals.study import NO_PROPENSITY, Study
from lotus.priors.vocabulary import Feature, Vocabulary, describe_rule, rule_counts

Facts = dict[str, Any]
NO_PAPER = "no paper payoff: not tested"


def facts_of(study: Study, config: OwnConfig) -> Facts:
    """Return everything a study says; the lists `lessons`, `proposals`, `refused`, `audits` and `trials` come first."""
    words, readings = study.vocabulary, study.readings
    kinds = {d.detector_id: d.variant for d in study.detectors}
    paper = {a.detector_id: a.placebo_z != 0.0 for a in study.audits}
    candidates = sorted(
        (*study.refused, *study.associations), key=lambda x: (x.grade not in "CD", -x.m_nats, x.detector_id)
    )
    return {
        "lessons": [
            {**_lesson(f.lesson, words, readings), **_life(f), "horizons": [asdict(x) for x in marks]}
            for f, marks in zip(study.findings, study.markouts, strict=True)
        ],
        "proposals": [{**_lesson(x, words, readings), "reason": x.reason} for x in study.proposals],
        "refused": [*_silent(study), *({**_lesson(x, words, readings), "reason": x.reason} for x in candidates)],
        "audits": [_audit(a, paper[a.detector_id]) for a in study.audits],
        "trials": study.trials,
        "look": {
            "looks": study.looks,
            "alpha": study.settings.alpha,
            "nightly": study.settings.looks == "nightly",
            "critical_nats": study.critical.day,
            "critical_rest_nats": study.critical.rest,
            "pooled_alpha": study.settings.pooled_alpha,
            "pooled_critical_nats": study.pooled_critical,
            "draws": study.settings.draws,
            "seed": config.seed,
            "rules_possible": list(rule_counts(words)),
            "half_life_days": study.settings.half_life_days,
        },
        "days": {
            "first": study.file_days[0],
            "last": study.file_days[-1],
            "count": len(study.file_days),
            "learning": len(study.days),
        },
        "detectors": [_detector(d) for d in study.detectors],
        "detectable": [_detectable(d) for d in study.detectable],
        "naive": [_naive(row, words) for row in study.naive],
        "features": [_feature(f, readings) for f in words.features],
        "cost_bps": config.cost_bps,
        "fill_source": config.fill_source,
        "variants": sorted(set(kinds.values())),
    }


def _feature(f: Feature, readings: Readings) -> Facts:
    grouping = readings.groups.get(f.name)
    return {
        "name": f.name,
        "bins": f.bins,
        "literals": f.reading,
        "categories": list(f.labels),
        "grouped_by": grouping.by if grouping else "",
        "groups": dict(zip(grouping.labels, map(list, grouping.values), strict=True)) if grouping else {},
        "edges": readings.feature(f),
    }


def _lesson(x: Lesson, words: Vocabulary, readings: Readings) -> Facts:
    return {
        "detector_id": x.detector_id,
        "horizon_s": x.horizon_s,
        "rule": describe_rule(x.rule, words),
        "edges": readings.rule(x.detector_id, x.rule, words),
        "uplift_bps": x.uplift_bps,
        "ci95": list(x.ci95),
        "lcb_bps": x.lcb_bps,
        "bound_bps": math.copysign(1.0, x.uplift_bps) * x.lcb_bps,
        "contrast_bps": x.contrast_bps,
        "contrast_ci95": list(x.contrast_ci95),
        "claim_bps": x.claim_bps,
        "grade": x.grade,
        "status": x.state,
        "support": {
            "windows": x.n_windows,
            "published": x.n_published,
            "ess": x.ess,
            "coverage": x.coverage,
            "days": x.n_days,
            "blocks": x.n_blocks,
        },
        "n_eff": x.n_eff_days,
        "near_ties": [
            {"rule": describe_rule(n.rule, words), "evidence_nats": n.m_nats, "uplift_bps": n.uplift_bps}
            for n in x.near_ties
        ],
        "lanes": [
            {
                "lane": name,
                "uplift_bps": lane.uplift_bps,
                "ci95": list(lane.ci95),
                "lcb_bps": lane.lcb_bps,
                "evidence_nats": lane.m_nats,
                "critical_nats": lane.critical,
            }
            for name, lane in zip(NAMES, x.lanes, strict=False)
        ],
        "parts": [
            {"part": p.name, "uplift_bps": p.uplift_bps, "se_bps": p.se_bps, "published": p.n_published}
            for p in x.parts
        ],
        "warnings": list(x.warnings),
        "evidence_nats": x.m_nats,
        "critical_nats": x.critical,
        "net_mean_bps": x.net_mean_bps,
        "net_bounds_bps": [x.net_low_bps, x.net_high_bps],
        "advice": advice(x),
        "lesson_id": x.lesson_id,
    }


def _life(f: ReplayedLesson) -> Facts:
    return {
        "nights": list(f.nights),
        "now": f.status,
        "e_value": f.watched[-1][1] if f.watched else None,
        "days_watched": len(f.watched),
    }


def advice(x: Lesson) -> str:
    """Return what a lesson would change: publish more where it holds, less, or nothing as long as net is unclear."""
    if x.reason == POOLED:
        return "an experiment: randomise here on more days, then ask again"
    if x.grade == "C":
        return "randomise here with real fills, then ask again"
    if not x.accepted:
        return "none"
    if x.sign > 0:
        return "publish more here" if x.net_low_bps > 0.0 else "none: net payoff here is not shown to be above zero"
    return "publish less here" if x.net_high_bps < 0.0 else "none: net payoff here is not shown to be below zero"


def _silent(study: Study) -> list[Facts]:
    """Return the detectors that could not be searched at all, each with its reason."""
    return [
        {"detector_id": d.detector_id, "rule": None, "grade": "D", "status": "REFUSED", "reason": NO_PROPENSITY}
        for d in study.detectors if d.variant == ASSOCIATION
    ] + [
        {"detector_id": r.detector_id, "rule": None, "grade": "C" if not r.overlap_share else "none",
         "status": "MODEL_ONLY" if not r.overlap_share else "REFUSED", "reason": r.reason}
        for r in study.reports if r.reason
    ]  # fmt: skip


def _audit(a: Audit, paper: bool) -> Facts:
    return {
        "detector_id": a.detector_id,
        "alarm": a.alarm,
        "reason": a.reason,
        "windows": a.windows,
        "calibration_z": a.calibration_z,
        "placebo_z": a.placebo_z if paper else None,
        "placebo_note": "" if paper else NO_PAPER,
        "dispersion_z": a.dispersion_z,
        "worst_stratum_z": a.worst_stratum_z,
        "spread_z": list(a.spread_z),
        "paper_z": a.paper_z if paper else None,
        "equal_share": a.equal_share,
        "late_lag": a.late_lag,
        "beyond_share": a.beyond_share,
        "results_t": a.results_t,
        "skew": a.skew,
        "notes": [note for note in (a.paper_note, a.results_note, a.skew_note) if note],
    }


def _detector(d: DetectorFacts) -> Facts:
    return {
        "detector_id": d.detector_id,
        "horizon_s": d.horizon_s,
        "score": d.variant,
        "meaning": VARIANTS[d.variant],
        "rows": d.rows,
        "published": d.published,
        "no_chance": d.no_chance,
    }


def _detectable(d: Detectable) -> Facts:
    return {
        "detector_id": d.detector_id,
        "noise_bps": d.noise_bps,
        "weight": d.weight,
        "blocks": d.blocks,
        "power": 0.8,
        "coverage": list(COVERAGES),
        "uplift_bps": {str(n): [_or_none(x) for x in row] for n, row in enumerate(d.bps, 1)},
    }


def _naive(row: NaiveRow, words: Vocabulary) -> Facts:
    return {
        "detector_id": row.detector_id,
        "rule": describe_rule(row.rule, words),
        "windows": row.windows,
        "hit_rate": row.hit_rate,
        "hit_rate_outside": row.hit_rate_outside,
        "z": row.z,
    }


def _or_none(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
