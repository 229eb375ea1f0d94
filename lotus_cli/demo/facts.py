"""The figures of a demo, each computed from what was stored: lessons judged by the truth, beliefs, parity, paper.

A lesson is active when it owns a patch in force on the last day. It is `right` when it covers the windows of a planted
one, an `echo` when the world's planted drift really pays there although it is another description, else `false`.
Nothing here is tuned to a seed.
"""

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lesson import Lesson
from lotus.learning.naive import naive_table
from lotus.priors.asset_context import describe_with
from lotus.priors.segment_context import rule_words
from lotus.priors.types import Rule
from lotus.priors.vocabulary import BIN_COLUMNS, Vocabulary, describe_rule, rule_mask
from lotus.simulation.lessons import planted_of, rule_of
from lotus.simulation.truth import LessonLabel
from lotus.trading.accounts.belief_money import propensities
from lotus.trading.accounts.pnl import FillSource
from lotus_cli.demo.levels import earned_by_lesson, experiments_of, levels_by_day
from lotus_cli.demo.styles import style_facts
from lotus_cli.demo.trade import traded_facts
from lotus_cli.demo.truth import Court
from lotus_cli.terminal.progress import Progress
from lotus_live.live import LiveResult
from lotus_live.parity import events_hash
from lotus_store.databases import Databases
from lotus_store.facts.pnl.beliefs import as_json, beliefs_of
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.lessons import read_lessons
from lotus_store.ledger.beliefs.priors import in_force_on

if TYPE_CHECKING:
    from lotus_assets.backfill import BackfillSummary
    from lotus_cli.demo.command import DemoPlan

Columns = Mapping[str, NDArray[Any]]
MONEY_DAYS = 7  # of a demo whose nightly runs all search


def facts_of(plan: "DemoPlan", summary: "BackfillSummary", run: LiveResult, progress: Progress) -> dict[str, Any]:
    """Return the facts of a finished demo as JSON-able values; `run` is that of the daemon on its last day."""
    settings, lake = plan.settings, Lake(plan.settings.lake_root)
    told_days = plan.days[-MONEY_DAYS:] if plan.nightly else [plan.last_day]
    with Databases(settings) as databases, databases.connect("sig") as sig:
        lessons = read_lessons(sig, settings.branch, None if plan.nightly else plan.look_day)
        versions = in_force_on(sig, settings.branch, plan.last_day)
        earned, levels = earned_by_lesson(sig, plan), levels_by_day(sig, plan, told_days)
        experiments = experiments_of(sig, plan)
    scores = {day: lake.read("payoff_scores", settings.branch, day) for day in plan.days if day <= plan.look_day}
    events = lake.read("signal_events", settings.branch, plan.last_day)
    outcomes = lake.read("signal_eval", settings.branch, plan.last_day, columns=("fill_source", "detector_id"))
    hash_asset = events_hash(dict(events))
    parity = run.events_hash == hash_asset
    acting = {braid.lesson_id for braid in versions[-1].braids}
    words = rule_words(settings.manifest)
    court = Court(plan.world, lake, settings.branch, scores, settings.manifest, progress)
    believed = _latest(lessons, acting)
    judged = [
        _judged(lesson, court.verdict(lesson), words)
        | {"active": lesson.lesson_id in acting, "trust": earned.get(lesson.lesson_id)}
        for lesson in believed
    ]
    planted, traps = planted_of(plan.world.spec.name)
    true_rules = [(p.detector_id, rule_of(p.literals)) for p in planted]
    money_days, money = beliefs_of(settings, told_days[0], plan.last_day, true_rules)
    styles = style_facts(plan)
    progress("comparing with a table of hit rates", 0)
    right = sorted({f["planted"] for f in judged if f["verdict"] == "recovered"})
    return {
        "world": plan.world.spec.name,
        "seed": plan.world.spec.seed,
        "branch": settings.branch,
        "tape": settings.tape,
        "days": len(plan.days),
        "least_days": settings.manifest.learning.min_days,
        "symbols": [a.name for a in settings.manifest.universe],
        "messages": summary.rows("raw_tape"),
        "frames": summary.rows("microtape_frames"),
        "events": summary.rows("signal_events"),
        "planted": [
            {
                "name": p.name,
                "detector_id": p.detector_id,
                "rule": describe_rule(rule_of(p.literals)),
                "effect_bps": p.effect_bps,
            }
            for p in planted
        ],
        "recovered": right,
        "missed": sorted(p.name for p in planted if p.name not in right),
        "false": [f for f in judged if f["verdict"] in ("false", "trap")],
        "echoes": sum(f["verdict"] == "echo" for f in judged),
        "lessons": judged,
        "trap": [_trap(t.detector_id, rule_of(t.literals), t.name, scores, judged) for t in traps],
        "naive": _naive(scores),
        "nightly": plan.nightly,
        "look": {**summary.notes(plan.look_day, "lessons"), "alpha": settings.manifest.learning.alpha},
        "priors_ver": versions[-1].priors_ver,
        "braids_in_force": len(versions[-1].braids),
        "experiments": experiments,
        "publication": publication(events),
        "example_event": example_event(events),
        "parity": parity,
        "live": {"parity": parity, "hash_live": run.events_hash, "hash_asset": hash_asset, "status": run.status},
        "traded": traded_facts(plan) | _taught(outcomes),
        "money": as_json(money_days, money) | {"levels": levels},
        **({} if styles is None else {"styles": styles}),
    }


def _latest(lessons: Sequence[Lesson], acting: Set[str]) -> list[Lesson]:
    """Return the accepted lessons, of each detector, rule and sign one: that which acts, else the newest."""
    accepted = sorted((x for x in lessons if x.accepted), key=lambda x: x.lesson_id in acting)
    return list({(x.detector_id, x.rule, x.sign): x for x in accepted}.values())


def _judged(lesson: Lesson, verdict: LessonLabel, words: Vocabulary) -> dict[str, Any]:
    return {
        "lesson_id": lesson.lesson_id,
        "detector_id": lesson.detector_id,
        "rule": describe_with(lesson.rule, words),
        "sign": lesson.sign,
        "uplift_bps": lesson.uplift_bps,
        "ci95": list(lesson.ci95),
        "lcb_bps": lesson.lcb_bps,
        "grade": lesson.grade,
        "published": lesson.n_published,
        "verdict": verdict.kind,
        "planted": verdict.name if verdict.kind == "recovered" else "",
        "true_uplift_bps": verdict.uplift_bps,
        "overlap": verdict.overlap,
    }


def _naive(scores: Mapping[str, Columns]) -> list[dict[str, Any]]:
    return [
        {
            "detector_id": r.detector_id,
            "rule": describe_rule(r.rule),
            "hit_rate": r.hit_rate,
            "outside": r.hit_rate_outside,
            "z": r.z,
        }
        for r in naive_table(scores, 5)
    ]


def _trap(
    detector: str, rule: Rule, name: str, scores: Mapping[str, Columns], judged: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return what a hit-rate table says about the trap, and whether a lesson fell for it."""
    hit, inside, net = [], [], []
    for columns in scores.values():
        taken = (columns["detector_id"] == detector) & columns["published"].astype(np.bool_)
        bins = np.stack([columns[b][taken].astype(np.uint8) for b in BIN_COLUMNS], axis=1)
        inside.append(rule_mask(rule, bins))
        hit.append(columns["hit"][taken].astype(np.float64))
        net.append(columns["payoff_y"][taken].astype(np.float64))
    hits, mask, pay = np.concatenate(hit), np.concatenate(inside), np.concatenate(net)
    rate, other, pooled = _mean(hits[mask]), _mean(hits[~mask]), _mean(hits)
    z = None
    if rate is not None and other is not None and pooled is not None and 0.0 < pooled < 1.0:
        z = float((rate - other) / np.sqrt(pooled * (1 - pooled) * (1 / mask.sum() + 1 / (~mask).sum())))
    return {
        "name": name,
        "detector_id": detector,
        "rule": describe_rule(rule),
        "hit_rate": rate,
        "hit_rate_outside": other,
        "naive_z": z,
        "net_bps": _mean(pay[mask]),
        "net_bps_outside": _mean(pay[~mask]),
        "published": int(mask.sum()),
        "fell_for_it": any(f["verdict"] == "trap" for f in judged),
    }


def _mean(values: NDArray[np.float64]) -> float | None:
    """Return the mean of what is known, None when nothing is."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None


def publication(events: Columns) -> dict[str, Any]:
    """Return how the beliefs changed a day's publication: expected alerts with and without, where a braid fired."""
    eligible = events["eligible"].astype(np.bool_)
    fired = eligible & (events["fired"].astype(np.uint64) != 0)
    pi, pi0 = propensities(events)
    tilt = events["u"].astype(np.float64) - events["u0"].astype(np.float64)
    boosted, damped = fired & (tilt > 0.0), fired & (tilt < 0.0)
    would = events["draw"].astype(np.float64) < pi0
    return {
        "windows": int(eligible.sum()),
        "windows_with_braids": int(fired.sum()),
        "expected_with": float(pi[eligible].sum()),
        "expected_without": float(pi0[eligible].sum()),
        "boosted": _tilted(boosted, pi, pi0),
        "damped": _tilted(damped, pi, pi0),
        "published": int(events["published"].sum()),
        "publications_changed": int((fired & (would != events["published"].astype(np.bool_))).sum()),
    }


def _tilted(chosen: NDArray[np.bool_], pi: NDArray[np.float64], pi0: NDArray[np.float64]) -> dict[str, Any]:
    return {"windows": int(chosen.sum()), "with": float(pi[chosen].sum()), "without": float(pi0[chosen].sum())}


def example_event(events: Columns) -> str:
    """Return the published event on which the most braids acted (the earliest of them), to be explained."""
    taken = events["published"].astype(np.bool_)
    bits = np.array([int(x).bit_count() for x in events["fired"].tolist()])
    if not taken.any():
        return ""
    best = np.flatnonzero(taken & (bits == bits[taken].max()))[0]
    return str(events["event_id"][best])


def _taught(rows: Columns) -> dict[str, Any]:
    """Return how many windows of the day's outcomes are as the venue executed them, and of how many detectors."""
    executed = rows["fill_source"] == FillSource.VENUE.value
    return {"whole_at_venue": int(executed.sum()), "detectors_taught": len(set(rows["detector_id"][executed].tolist()))}
