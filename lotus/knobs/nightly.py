"""The nightly run of a module over its knobs: scores of experiments in; lessons, braids, perhaps a new version out.

The detectors' learner and the detectors' weave, on other rows: every knob is an owner where a detector stands. Runs
count days with evidence, and their analyses spend the knobs' own alpha (`learning.knob_alpha`), never the
detectors'. Rules have at most two conditions. Compositions across modules are members of the same family and spend the
same slots. Nothing is read or stored here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lotus.knobs import compositions as across
from lotus.knobs.compositions import CompositionNight, OtherModule, is_across
from lotus.knobs.past import KeptSums, KnobPast
from lotus.learning.effect import LaneSums, effect_of
from lotus.learning.lanes import NO_SLOT, Both
from lotus.learning.lesson import AuditState
from lotus.learning.night import NightResult, RowSource, learn_from
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, day_weights, rows_by_detector
from lotus.learning.slots import NOTHING_SPENT, SlotState
from lotus.manifest import Manifest
from lotus.plain import later
from lotus.priors.types import PriorsVersion, priors_version
from lotus.weave.admission import DetectorDay
from lotus.weave.braid import Braid
from lotus.weave.meta import MetaCandidate, MetaState, members, observed
from lotus.weave.night import NightInputs, WovenNight, changes, weave_night
from lotus.weave.review import ActOutcome, ReviewAct, reviewed
from lotus.weave.watchdog import Evidence

MAX_LITERALS = 2


@dataclass(frozen=True, slots=True)
class KnobMemory:
    """What one run leaves to the next: days with evidence so far, alpha slots, audits, compositions under judgement.

    `across` are those across modules.
    """

    learning_days: int = 0
    slots: Both[SlotState] = NOTHING_SPENT
    audits: Mapping[str, AuditState] = field(default_factory=dict)
    meta: MetaState = field(default_factory=MetaState)
    across: MetaState = later(MetaState())


@dataclass(frozen=True, slots=True)
class AverageEffect:
    """What moving a knob a step up earned on average, everywhere: bps with a 95 % interval, moved of all, days."""

    owner: str
    mean_bps: float
    ci95: tuple[float, float]
    moved: int
    plans: int
    days: int


@dataclass(frozen=True, slots=True)
class KnobRun:
    """The result: what was learned (None: no evidence today), average effects, the weave, the memory it leaves.

    `across` are the candidates of compositions across modules, with tonight's verdicts.
    """

    learned: NightResult | None
    effects: tuple[AverageEffect, ...]
    woven: WovenNight
    memory: KnobMemory
    across: tuple[MetaCandidate, ...] = ()


def knob_manifest(manifest: Manifest) -> Manifest:
    """Return the manifest under which knobs are learned: their own alpha and draws, short rules, daily analyses."""
    learning = manifest.learning
    changed = replace(
        learning, alpha=learning.knob_alpha, draws=learning.knob_draws, max_literals=MAX_LITERALS, pooled_alpha=0.0,
        looks="nightly", error_control="slots", alert_budget=0.0,
    )  # fmt: skip
    return replace(manifest, learning=changed)


@dataclass(frozen=True, slots=True)
class KnobEvidence:
    """What a run reads: KNOB_SCORES by day up to `day` (of days that have rows), and the beliefs before it.

    `keys`: owner -> key of its knob; rows of an owner that is no more are left out, as after a policy got another name.
    `previous`, `board`: the version in force before and the braid registry that the run before left; the result takes
    effect at `effective_from_ms`. `other` is what compositions across modules read of sig, None where they are off.
    `kept` holds sums of the days of `scores` that earlier runs made, and takes what this one makes; None: all are made.
    `acts` of reviewers wait for this run.
    """

    scores: Mapping[str, Columns]
    day: str
    keys: Mapping[str, str]
    previous: PriorsVersion
    board: Sequence[Braid]
    effective_from_ms: int
    other: OtherModule | None = None
    kept: KeptSums | None = None
    acts: Sequence[ReviewAct] = ()


def learn_knobs(evidence: KnobEvidence, manifest: Manifest, memory: KnobMemory) -> KnobRun:
    """Return the nightly run of `evidence.day`."""
    own, scores, day, keys = knob_manifest(manifest), evidence.scores, evidence.day, evidence.keys
    window = _of_owners(rows_by_detector(scores, own.learning.search_days) if scores else {}, keys)
    today = _of_owners(rows_by_detector({day: scores[day]}, 1) if day in scores else {}, keys)
    steps = _steps(evidence)
    judged = [observed(memory.meta, evidence.board, today, day), across.observed(memory.across, steps, day)]
    learned = _learned(evidence, window, own, memory, judged) if today else None
    after = memory
    if learned is not None:
        audits = {**memory.audits, **{audit.detector_id: audit.state for audit in learned.audits}}
        after = replace(memory, learning_days=memory.learning_days + 1, slots=learned.slots, audits=audits)
    woven = _woven(evidence, learned, window, today, own, memory.meta)
    effects = tuple(average_effect(rows, own.learning.half_life_days) for _, rows in sorted(window.items()))
    present, spoken = _reviewed_across(evidence, own)
    composed = _composed(evidence, present, woven, judged[1], steps, _bars(learned), own)
    woven = replace(_with(woven, composed, evidence), acts=(*woven.acts, *spoken))
    after = replace(after, meta=woven.meta_state, across=composed.state)
    return KnobRun(learned, effects, woven, after, composed.candidates)


def _steps(evidence: KnobEvidence) -> dict[str, DetectorRows]:
    """Return today's trials of styles by step and detector; none where compositions across modules are off."""
    scores = evidence.scores.get(evidence.day)
    if evidence.other is None or scores is None:
        return {}
    return across.rows_by_step(scores, evidence.day, evidence.other.detectors)


def _bars(learned: NightResult | None) -> Both[float]:
    return learned.critical if learned is not None and learned.looked else NO_SLOT


def _reviewed_across(evidence: KnobEvidence, manifest: Manifest) -> tuple[list[Braid], list[ActOutcome]]:
    """Return the compositions across modules in step with the version in force, after the acts on them."""
    present = across.in_step([b for b in evidence.board if is_across(b)], evidence.previous, evidence.day)
    names = {b.braid_id for b in present}
    return reviewed(present, [act for act in evidence.acts if act.target in names], evidence.day, manifest.weave)


def _composed(
    evidence: KnobEvidence,
    present: Sequence[Braid],
    woven: WovenNight,
    state: MetaState,
    steps: Mapping[str, DetectorRows],
    critical: Both[float],
    manifest: Manifest,
) -> CompositionNight:
    if evidence.other is None:
        return across.switched_off(present, state, evidence.day)
    boards = across.Boards(present, woven.braids, evidence.other.braids)
    tonight = across.Tonight(evidence.day, steps, critical, evidence.keys, evidence.effective_from_ms)
    return across.compositions(state, boards, tonight, manifest)


def _with(woven: WovenNight, composed: CompositionNight, evidence: KnobEvidence) -> WovenNight:
    """Return the run with the compositions across modules on its board, in its version and among its alerts."""
    if not composed.braids:
        return woven
    braids = (*woven.braids, *composed.braids)
    active = (*woven.priors.braids, *(b.active() for b in composed.braids if b.in_force))
    priors = priors_version(woven.priors.branch, woven.priors.effective_from_ms, active)
    events = changes(evidence.board, braids, evidence.previous, priors)
    return replace(woven, braids=braids, events=events, priors=priors, alerts=(*woven.alerts, *composed.alerts))


def _of_owners(rows: Mapping[str, DetectorRows], keys: Mapping[str, str]) -> dict[str, DetectorRows]:
    return {owner: of_owner for owner, of_owner in rows.items() if owner in keys}


def _learned(
    evidence: KnobEvidence,
    window: Mapping[str, DetectorRows],
    manifest: Manifest,
    memory: KnobMemory,
    judged: Sequence[MetaState],
) -> NightResult:
    kept = evidence.kept
    return learn_from(
        {owner: RowSource(rows) if kept is None else KnobPast(rows, kept) for owner, rows in window.items()},
        tuple(sorted(evidence.scores))[-manifest.learning.search_days :],
        manifest,
        night=memory.learning_days + 1,
        active=[(b.detector_id, b.rule) for b in evidence.board if b.in_force and b.braid_type == "micro"],
        slots=memory.slots,
        audits=memory.audits,
        branch=evidence.previous.branch,
        members=[member for state in judged for member in members(state, manifest.learning)],
    )


def _woven(
    evidence: KnobEvidence,
    learned: NightResult | None,
    window: Mapping[str, DetectorRows],
    today: Mapping[str, DetectorRows],
    manifest: Manifest,
    meta: MetaState,
) -> WovenNight:
    lessons = learned.lessons if learned is not None else ()
    alarms = {a.detector_id: a.reason for a in learned.audits if a.alarm} if learned is not None else {}
    across_modules = {b.braid_id for b in evidence.board if is_across(b)}
    inputs = NightInputs(
        evidence=Evidence(evidence.day, today, window if lessons else {}, alarms),
        meta=meta,
        critical=_bars(learned),
        acts=tuple(act for act in evidence.acts if act.target not in across_modules),
    )
    seen, previous = {**(window if lessons else {}), **today}, evidence.previous
    board = [b for b in evidence.board if not is_across(b)]
    owners = {
        owner: DetectorDay(rows.bins, np.zeros(len(rows)), 1.0, evidence.keys[owner]) for owner, rows in seen.items()
    }
    woven = weave_night(previous, board, lessons, owners, evidence.effective_from_ms, manifest, inputs)
    return _without_fields(woven, previous, board)


def _without_fields(woven: WovenNight, previous: PriorsVersion, board: Sequence[Braid]) -> WovenNight:
    """Return the run without field braids: what they move are bounds of scores, and exploration of windows."""
    if not any(b.braid_type == "field" for b in woven.braids):
        return woven
    kept = tuple(b for b in woven.braids if b.braid_type != "field")
    active = tuple(b.active() for b in kept if b.in_force)
    priors = priors_version(previous.branch, woven.priors.effective_from_ms, active)
    return replace(woven, braids=kept, events=changes(board, kept, previous, priors), priors=priors)


def average_effect(rows: DetectorRows, half_life_days: float) -> AverageEffect:
    """Return what moving the knob earned over all plans of the search window, recent days counting more."""
    weight, gain = _by_block(rows, rows.h), _by_block(rows, rows.f)
    sums = LaneSums(rows.lane_day, weight, gain, weight, gain, weight)
    effect = effect_of(sums, day_weights(len(rows.days), half_life_days))
    moved = int(rows.published.sum())
    return AverageEffect(
        owner=rows.detector_id,
        mean_bps=effect.uplift,
        ci95=effect.ci95,
        moved=moved,
        plans=len(rows),
        days=effect.n_days,
    )


def _by_block(rows: DetectorRows, values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.bincount(rows.lane, weights=values, minlength=rows.n_lanes), dtype=np.float64)
