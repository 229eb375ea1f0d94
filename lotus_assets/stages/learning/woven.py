"""One nightly run of weaving as three stages see it: lessons and the braid registry of the day before in, a result out.

`lotus.weave.weave_night` decides everything at once; braids, meta_braids and active_priors each write their part of the
same pure result. Nothing is written here.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from lotus.hashing import natural_id
from lotus.learning.lanes import NO_SLOT, Both
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.priors.types import PriorsVersion, priors_0
from lotus.priors.vocabulary import BIN_COLUMNS, Vocabulary
from lotus.timebase import HOUR_MS, day_start_ms, next_day
from lotus.weave.admission import DetectorDay
from lotus.weave.field import weekly
from lotus.weave.meta import MetaState, observed
from lotus.weave.night import NightInputs, WovenNight, weave_night
from lotus.weave.watchdog import Evidence
from lotus_assets.stages.chain import commit_of, content_of, day_before, version_of
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts.judged_days import is_judged
from lotus_assets.stages.governance.exploration import explores, share_of_proposals
from lotus_assets.stages.history import commits_before, detectors_of
from lotus_assets.stages.lake_tables import Columns
from lotus_assets.stages.learning.asset_context import in_context, scores_in_context, vocabulary
from lotus_assets.stages.learning.dr_crosscheck import opinions
from lotus_assets.stages.shared_columns import read_shared
from lotus_resources.recent_values import RecentKind
from lotus_store.asset_context import AT_COLUMNS
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.lessons import read_experiments, read_lessons
from lotus_store.ledger.beliefs.priors import read_version, swaps_within
from lotus_store.ledger.beliefs.reviews import read_reviews
from lotus_store.ledger.bodies import from_body, to_body

EVENT_COLUMNS = ("detector_id", "theta1", "temperature", *AT_COLUMNS, *BIN_COLUMNS)
META_STATE = "meta_state"  # kind and name of the experiment row that holds the compositions under judgement
_WOVEN = RecentKind("woven", 4)


def woven_inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Return what weaving depends on: lessons, the day's events, braid registry and version of the day before."""
    digests = {
        "lessons": content_of(ctx, ctx.branch, day, "lessons"),
        "signal_events": content_of(ctx, ctx.branch, day, "signal_events"),
    }
    if is_judged(day):
        digests["dr_crosscheck"] = content_of(ctx, ctx.branch, day, "dr_crosscheck")
    before = day_before(ctx, day)
    if explores(ctx):
        digests["share of proposals"] = repr(share_of_proposals(ctx, before))
    if before is not None:
        digests["braids before"] = content_of(ctx, ctx.branch, before, "braids")
        digests["compositions before"] = content_of(ctx, ctx.branch, before, "meta_braids")
        digests["priors before"] = previous_version(ctx, day).priors_ver
        digests["reviews"] = natural_id(to_body(list(read_reviews(ctx.sig, ctx.branch, before))))
    return digests


def previous_version(ctx: StageContext, day: str) -> PriorsVersion:
    """Return the version that the nightly run's one follows: that of the day before, or what was rolled back to since.

    At the beginning of a branch it is the genesis version.
    """
    before = day_before(ctx, day)
    if before is None:
        return priors_0(ctx.branch)
    proposed = read_version(ctx.sig, ctx.branch, version_of(ctx, before))
    since = swaps_within(ctx.sig, ctx.branch, proposed.effective_from_ms, swap_ms(ctx, day))
    return read_version(ctx.sig, ctx.branch, since[-1][1]) if since else proposed


def swap_ms(ctx: StageContext, day: str) -> int:
    """Return the event time at which the version learned on `day` takes effect."""
    return day_start_ms(next_day(day)) + ctx.manifest.weave.swap_hour_utc * HOUR_MS


def compositions(ctx: StageContext, day: str) -> MetaState:
    """Return the compositions under judgement with the windows of `day` taken in, as the run before left them."""
    before = day_before(ctx, day)
    if before is None:
        return MetaState()
    return observed(_meta_state(ctx, before), read_registry(ctx.sig, ctx.branch, before), rows_of(ctx, day, 1), day)


def rows_of(ctx: StageContext, day: str, days: int) -> dict[str, DetectorRows]:
    """Return the scored windows of the last learning days up to `day` by detector."""
    scores = {c.day: scores_in_context(ctx, c) for c in commits_before(ctx, "payoff_scores", next_day(day), days)}
    return rows_by_detector(scores, days, vocabulary(ctx))


def _meta_state(ctx: StageContext, before: str) -> MetaState:
    kept = read_experiments(ctx.sig, ctx.branch, before, META_STATE)
    return from_body(kept[META_STATE], MetaState) if kept else MetaState()


def weave(ctx: StageContext, day: str) -> WovenNight:
    """Return the woven nightly run of `day`; the same inputs are woven once."""
    inputs = woven_inputs(ctx, day)
    key = (ctx.branch, day, ctx.manifest.version, *(word for name in sorted(inputs) for word in (name, inputs[name])))
    return ctx.recent.get(_WOVEN, key, lambda: _weave(ctx, day))


def _weave(ctx: StageContext, day: str) -> WovenNight:
    before = day_before(ctx, day)
    registry = read_registry(ctx.sig, ctx.branch, before) if before is not None else []
    every = read_lessons(ctx.sig, ctx.branch, day)
    lessons, proposals = [x for x in every if x.accepted], tuple(x for x in every if x.state == "MODEL_ONLY")
    night = read_experiments(ctx.sig, ctx.branch, day, "night")["night"]
    inputs = NightInputs(
        evidence=_evidence(ctx, day, bool(lessons or proposals)),
        acts=read_reviews(ctx.sig, ctx.branch, before) if before is not None else (),
        meta=_meta_state(ctx, before) if before is not None else MetaState(),
        critical=Both(*(float(x) for x in night["critical"])) if night["looked"] else NO_SLOT,
        proposals=proposals,
    )
    previous, swap = previous_version(ctx, day), swap_ms(ctx, day)
    share = share_of_proposals(ctx, before)
    manifest = replace(ctx.manifest, weave=replace(ctx.manifest.weave, experiment_share=share))
    return weave_night(previous, registry, lessons, _detectors(ctx, day), swap, manifest, inputs)


def _evidence(ctx: StageContext, day: str, admits: bool) -> Evidence:
    """Return the run's evidence; only runs with a lesson, a proposal or a search for fields read the search window."""
    audits = read_experiments(ctx.sig, ctx.branch, day, "audit")
    alarms = {name: str(body["reason"]) for name, body in audits.items() if body["state"]["alarm"]}
    wide = rows_of(ctx, day, ctx.manifest.learning.search_days) if admits or weekly(day) else {}
    return Evidence(day, rows_of(ctx, day, 1), wide, alarms, opinions(ctx, day))


def _detectors(ctx: StageContext, day: str) -> dict[str, DetectorDay]:
    commit, words = commit_of(ctx, ctx.branch, day, "signal_events"), vocabulary(ctx)
    events = in_context(ctx, read_shared(ctx, "signal_events", commit, EVENT_COLUMNS))
    detectors = {spec.detector_id: _detector(events, spec.detector_id, words) for spec in detectors_of(ctx, day)}
    return {name: day_of_detector for name, day_of_detector in detectors.items() if len(day_of_detector.theta1)}


def _detector(events: Columns, name: str, words: Vocabulary) -> DetectorDay:
    own_rows = np.asarray(events["detector_id"]) == name
    bins = np.column_stack([np.asarray(events[column], dtype=np.uint8)[own_rows] for column in words.bin_columns])
    theta1 = np.asarray(events["theta1"], dtype=np.float64)[own_rows]
    temperature = float(events["temperature"][own_rows][0]) if own_rows.any() else 0.0
    return DetectorDay(bins, theta1, temperature)
