"""One night of weaving: lessons and yesterday's braids in, tomorrow's braids and one new version of the priors out.

Order: the board follows the version in force (a rollback), review acts, the watchdog, earned trust, micro braids from
accepted lessons, conflicts, the contraction within the nightly limits, meta braids, on Mondays field braids,
experiments on proposals, compile. A lesson that bears no patch stays proposed, with the reason: it changes nothing.
Pure: evidence comes in as arrays, rows go out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lanes import NO_SLOT, Both
from lotus.learning.lesson import Lesson
from lotus.manifest import Manifest
from lotus.priors.asset_context import ASSET, vocabulary_of
from lotus.priors.compiled import attenuate
from lotus.priors.types import IDENTITY, Knob, Patch, PriorsVersion, priors_version
from lotus.priors.vocabulary import DEFAULT, rule_mask
from lotus.weave import field as fields
from lotus.weave import meta as metas
from lotus.weave.admission import DetectorDay, admit, realised, target_at_level, target_of, theta_bar
from lotus.weave.algebra import check_parents
from lotus.weave.braid import LIVING, Braid
from lotus.weave.conflict import Overlap, choose, conflict_map
from lotus.weave.contraction import held_to, night_moves
from lotus.weave.earned import TrustRow, earned, trust_rows
from lotus.weave.family import family_braid
from lotus.weave.meta import MetaCandidate, MetaState
from lotus.weave.review import ActOutcome, ReviewAct, reviewed
from lotus.weave.taken_up import ExperimentRow, experiments
from lotus.weave.tilt import shared, tilt_share
from lotus.weave.watchdog import BraidAlert, Evidence, orphans, watch_over


@dataclass(frozen=True, slots=True)
class BraidEvent:
    """One row of the append-only braid history."""

    braid_id: str
    old_state: str
    new_state: str
    reason: str
    priors_before: str
    priors_after: str


@dataclass(frozen=True, slots=True)
class WovenNight:
    """The result of a night: board, changes, verdicts on compositions, alerts, acts taken up, trust, the next version.

    `overlaps` is the weekly conflict map: rules in force of one detector against each other, on Mondays.
    """

    braids: tuple[Braid, ...]
    events: tuple[BraidEvent, ...]
    meta: tuple[MetaCandidate, ...]
    meta_state: MetaState
    alerts: tuple[BraidAlert, ...]
    acts: tuple[ActOutcome, ...]
    overlaps: tuple[Overlap, ...]
    trust: tuple[TrustRow, ...]
    experiments: tuple[ExperimentRow, ...]
    priors: PriorsVersion


@dataclass(frozen=True, slots=True)
class NightInputs:
    """What a night takes beside lessons and board: evidence, review acts, compositions so far, the night's bar.

    `proposals` are those of the second channel, of grade C.
    """

    evidence: Evidence = field(default_factory=Evidence)
    acts: tuple[ReviewAct, ...] = ()
    meta: MetaState = field(default_factory=MetaState)
    critical: Both[float] = NO_SLOT
    proposals: tuple[Lesson, ...] = ()


def weave_night(
    previous: PriorsVersion,
    board: Sequence[Braid],
    lessons: Sequence[Lesson],
    detectors: Mapping[str, DetectorDay],
    effective_from_ms: int,
    manifest: Manifest,
    inputs: NightInputs | None = None,
) -> WovenNight:
    """Weave one night; raises nothing for an empty night, which carries the patches on toward their targets."""
    given, weave = inputs or NightInputs(), manifest.weave
    day = given.evidence.day
    standing, acts = reviewed(followed(board, previous, day), given.acts, day, weave)
    braids, alerts = watch_over(standing, given.evidence, effective_from_ms, weave)
    earning = earned(braids, standing, given.evidence, effective_from_ms, manifest)
    braids, alerts = list(earning.braids), [*alerts, *earning.alerts]
    for lesson in sorted(lessons, key=lambda x: x.lesson_id):
        of_day = detectors[lesson.detector_id]
        braids = admit(braids, lesson, previous.branch, of_day, given.evidence, effective_from_ms, manifest)
    masks = {b.braid_id: rule_mask(b.rule, detectors[b.detector_id].bins) for b in braids if b.detector_id in detectors}
    levels = {b.braid_id: b.level for b in previous.braids}
    braids = _move(_resolve(braids, masks, manifest, day), detectors, levels, manifest)
    braids, lost = orphans(braids, day)
    braids, verdicts, state = _compose(braids, board, masks, given, effective_from_ms, manifest, detectors)
    braids = _fields(braids, given.evidence, effective_from_ms, manifest)
    found = lessons, given.proposals
    braids, tried = experiments(braids, previous.branch, found, given.evidence, effective_from_ms, manifest)
    by_id = {b.braid_id: b for b in braids}
    active = tuple(check_parents(b, by_id).active() for b in braids if b.in_force)
    priors = priors_version(previous.branch, effective_from_ms, active)
    events = changes(board, braids, previous, priors)
    overlaps = conflict_map(braids, masks) if fields.weekly(day) else ()
    trust, alerts = trust_rows(braids, earning.reasons, weave), [*alerts, *lost]
    return WovenNight(
        tuple(braids), events, verdicts, state, tuple(alerts), tuple(acts), overlaps, trust, tried, priors
    )


def followed(board: Sequence[Braid], version: PriorsVersion, day: str) -> list[Braid]:
    """Return the board in step with the version in force; it differs from it only after a rollback."""
    held = {b.braid_id: b.patch for b in version.braids}
    reason = f"rolled back to version {version.priors_ver}"
    out = []
    for braid in board:
        if braid.braid_id in held and (not braid.in_force or braid.patch != held[braid.braid_id]):
            braid = replace(braid.moved_to("active", reason), patch=held[braid.braid_id])
        elif braid.in_force and braid.braid_id not in held:
            braid = braid.moved_to("sunset", reason, day)
        out.append(braid)
    return out


def _resolve(
    braids: Sequence[Braid], masks: Mapping[str, NDArray[np.bool_]], manifest: Manifest, day: str
) -> list[Braid]:
    out = list(braids)
    micro = [i for i, b in enumerate(braids) if b.braid_type == "micro" and b.state in LIVING and b.braid_id in masks]
    for detector in sorted({braids[i].detector_id for i in micro}):
        index = [i for i in micro if braids[i].detector_id == detector]
        live = [braids[i] for i in index]
        picked = choose(
            [max(b.quality.effect, 1e-6) for b in live],
            [b.target for b in live],
            [masks[b.braid_id] for b in live],
            manifest.weave,
        )
        for i, braid, chosen in zip(index, live, picked, strict=True):
            out[i] = _verdict(braid, chosen, day)
    return out


def _verdict(braid: Braid, chosen: bool, day: str) -> Braid:
    if not chosen:
        return braid.moved_to(braid.ends_as, "conflict: a better braid acts there", day)
    if braid.state == "active" or braid.target == IDENTITY:
        return braid
    return braid.moved_to("active", "accepted lesson")


def _move(
    braids: Sequence[Braid], detectors: Mapping[str, DetectorDay], levels: Mapping[str, int], manifest: Manifest
) -> list[Braid]:
    """Move every patch toward its goal; what fell below its level in force (`levels`) is held to the goal at once."""
    out = list(braids)
    owners = [i for i, b in enumerate(braids) if b.state == "active" and b.owns_patch]
    for detector in sorted({braids[i].detector_id for i in owners}):
        index = [i for i in owners if braids[i].detector_id == detector]
        live, day = [braids[i] for i in index], detectors.get(detector)
        shares = [tilt_share(b.grade, manifest.weave) for b in live]
        goals = [goal_of(b, day, manifest, s) for b, s in zip(live, shares, strict=True)]
        free = [s == 1.0 and b.level >= levels.get(b.braid_id, 0) for b, s in zip(live, shares, strict=True)]
        starts = [b.patch if f else held_to(b.patch, g) for b, g, f in zip(live, goals, free, strict=True)]
        moved = night_moves(starts, goals, manifest.weave, [b.cap_mult for b in live], [b.level for b in live])
        for i, braid, patch, share in zip(index, live, moved, shares, strict=True):
            tilt = realised(braid, patch, day, manifest) if day is not None else braid.delta_realised
            out[i] = replace(braid, patch=patch, delta_realised=tilt, tilt_share=share)
    return out


def goal_of(braid: Braid, day: DetectorDay | None, manifest: Manifest, share: float = 1.0) -> Patch:
    """Return where a braid's patch moves to: its target under bounds that reviewers raised, attenuated by them.

    With a level of trust it is the whole cap of the level. `share` is the part of the tilt which the account allows (of
    a level's cap it is a part already); on a day without windows the patch is attenuated by it.
    """
    target = braid.target
    if braid.level:
        target, share = target_at_level(braid, day or _no_windows(manifest), manifest), 1.0
    elif braid.cap_mult != 1.0 and braid.delta_wanted and day is not None:
        target = target_of(braid.delta_wanted, braid, day, manifest, braid.cap_mult)
    if share != 1.0 and day is not None and not target.knobs:
        median = theta_bar(braid.rule, day)
        target = shared(target, share, day.temperature, median, manifest.score, manifest.weave)
        share = 1.0
    strength = braid.strength * share
    if strength == 1.0:
        return target
    theta, phi = attenuate(target.theta_delta, target.phi_mult, strength)
    return Patch(theta, phi, tuple(Knob(k.key, k.mult**strength) for k in target.knobs), strength * target.gate)


def _no_windows(manifest: Manifest) -> DetectorDay:
    return DetectorDay(np.empty((0, ASSET + 1), dtype=np.uint8), np.empty(0), manifest.score.temperature)


def _compose(
    braids: list[Braid],
    before: Sequence[Braid],
    masks: Mapping[str, NDArray[np.bool_]],
    given: NightInputs,
    effective_from_ms: int,
    manifest: Manifest,
    detectors: Mapping[str, DetectorDay],
) -> tuple[list[Braid], tuple[MetaCandidate, ...], MetaState]:
    """Judge the compositions that run, make braids of the promoted, and begin new ones."""
    day = given.evidence.day
    state = metas.observed(given.meta, before, given.evidence.today, day)
    verdicts = metas.judged(state, braids, given.critical, manifest.learning, manifest.weave)
    by_id = {b.braid_id: b for b in braids}
    for candidate in (c for c in verdicts if c.verdict == "promoted"):
        parents = [by_id[name] for name in candidate.parents]
        made = metas.meta_braid(candidate, parents, effective_from_ms, manifest.weave)
        if candidate.op == "RULE":
            of_day = detectors.get(made.detector_id) or _no_windows(manifest)
            made = family_braid(made, candidate.parts, parents, of_day, manifest)
        braids = [*braids, made]
    left = metas.started(metas.closed(state, verdicts), braids, masks, day, vocabulary_of(manifest) is not DEFAULT)
    known = {c.candidate_id for c in verdicts}
    return braids, (*verdicts, *(c for c in left.running if c.candidate_id not in known)), left


def _fields(braids: list[Braid], evidence: Evidence, effective_from_ms: int, manifest: Manifest) -> list[Braid]:
    if not fields.weekly(evidence.day):
        return braids
    for pattern in fields.patterns(braids, evidence.window, manifest.weave):
        braids = [*braids, *fields.field_braids(pattern, braids, effective_from_ms, manifest.weave)]
    return braids


def changes(
    board: Sequence[Braid], braids: Sequence[Braid], before: PriorsVersion, after: PriorsVersion
) -> tuple[BraidEvent, ...]:
    """Return what is different on the board `braids` from the earlier one, one row per braid."""
    old = {b.braid_id: b for b in board}
    return tuple(_event(old.get(b.braid_id), b, before, after) for b in braids if old.get(b.braid_id) != b)


def _event(old: Braid | None, new: Braid, before: PriorsVersion, after: PriorsVersion) -> BraidEvent:
    reason = new.reason
    if old is not None and old.state == new.state == "active" and old.level != new.level:
        reason = f"trust from level {old.level} to {new.level}"
    elif old is not None and old.state == new.state and old.reason == new.reason:
        reason = "evidence of the day" if old.patch == new.patch else "patch moved toward its target"
    return BraidEvent(
        new.braid_id, old.state if old else "none", new.state, reason, before.priors_ver, after.priors_ver
    )
