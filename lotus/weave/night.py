"""One night of weaving: lessons and yesterday's braids in, tomorrow's braids and one new version of the priors out.

Order: expire by TTL, propose micro braids from accepted lessons (same axes = champion), resolve conflicts, contract the
patches toward their targets within the nightly limits, compile. A lesson that bears no patch stays proposed, with the
reason: it changes nothing. Pure: evidence comes in as arrays, rows go out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lesson import Lesson
from lotus.manifest import Manifest
from lotus.priors.types import IDENTITY, Patch, PriorsVersion, priors_version
from lotus.priors.vocabulary import rule_mask
from lotus.weave.braid import Braid, State, micro_braid
from lotus.weave.conflict import choose
from lotus.weave.contraction import night_moves
from lotus.weave.meta import MetaCandidate, candidates
from lotus.weave.tilt import Tilt, patch_for, realised_tilt, wanted_tilt


@dataclass(frozen=True, slots=True)
class DetectorDay:
    """What weaving needs of one detector on the last learning day: bins u1 [n, 12], theta1 f8 [n], temperature T."""

    bins: NDArray[np.uint8]
    theta1: NDArray[np.float64]
    temperature: float


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
    """The result of a night: the board, what changed, meta candidates and the next version of the priors."""

    braids: tuple[Braid, ...]
    events: tuple[BraidEvent, ...]
    meta: tuple[MetaCandidate, ...]
    priors: PriorsVersion


def weave_night(
    previous: PriorsVersion,
    board: Sequence[Braid],
    lessons: Sequence[Lesson],
    detectors: Mapping[str, DetectorDay],
    effective_from_ms: int,
    manifest: Manifest,
) -> WovenNight:
    """Weave one night; raises nothing for an empty night, which carries the patches on toward their targets."""
    before = {b.braid_id: b for b in board}
    braids = [_expire(b, effective_from_ms) for b in board]
    for lesson in sorted(lessons, key=lambda x: x.lesson_id):
        braids = _admit(braids, lesson, previous.branch, detectors[lesson.detector_id], effective_from_ms, manifest)
    masks = {b.braid_id: rule_mask(b.rule, detectors[b.detector_id].bins) for b in braids if b.detector_id in detectors}
    braids = _resolve(braids, masks, manifest)
    braids = _move(braids, detectors, manifest)
    priors = priors_version(
        previous.branch, effective_from_ms, tuple(b.active() for b in braids if b.state == "active" and b.in_force)
    )
    events = tuple(_event(before.get(b.braid_id), b, previous, priors) for b in braids if before.get(b.braid_id) != b)
    living = [b for b in braids if b.braid_id in masks]
    return WovenNight(tuple(braids), events, candidates(living, masks, effective_from_ms), priors)


def _expire(braid: Braid, now_ms: int) -> Braid:
    if braid.expires_at_ms > now_ms or braid.state not in ("proposed", "active"):
        return braid
    return braid.moved_to("sunset" if braid.state == "active" else "archived", "time to live ended")


def _admit(
    braids: list[Braid], lesson: Lesson, branch: str, day: DetectorDay, effective_from_ms: int, manifest: Manifest
) -> list[Braid]:
    tilt = wanted_tilt(lesson, manifest.weave)
    for champion in braids:
        if _same_axes(champion, lesson) and champion.state in ("proposed", "active"):
            challenger = _challenge(champion, lesson, tilt)
            if champion.lesson_id == lesson.lesson_id or not challenger:
                return braids
            ended: State = "sunset" if champion.state == "active" else "archived"
            braids = [b.moved_to(ended, challenger) if b is champion else b for b in braids]
    theta = day.theta1[rule_mask(lesson.rule, day.bins)]
    theta_bar = float(np.median(theta)) if len(theta) else 0.5
    target = IDENTITY
    if tilt.delta:
        target = patch_for(tilt.delta, day.temperature, theta_bar, manifest.score, manifest.weave)
    ttl = manifest.weave.ttl_days
    return [*braids, micro_braid(lesson, branch, target, tilt.delta, tilt.reason, effective_from_ms, ttl)]


def _challenge(champion: Braid, lesson: Lesson, tilt: Tilt) -> str:
    """Return why a lesson on the same axes replaces the champion, empty when it does not."""
    if champion.state == "proposed":
        return "the evidence now bears a patch" if tilt.delta else ""
    return "" if _overlap(champion.ci95, lesson.ci95) else "intervals separated"


def _same_axes(braid: Braid, lesson: Lesson) -> bool:
    return (braid.detector_id, braid.rule, braid.sign) == (lesson.detector_id, lesson.rule, lesson.sign)


def _overlap(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return first[0] <= second[1] and second[0] <= first[1]


def _resolve(braids: Sequence[Braid], masks: Mapping[str, NDArray[np.bool_]], manifest: Manifest) -> list[Braid]:
    out = list(braids)
    for detector in sorted({b.detector_id for b in braids}):
        index = [
            i
            for i, b in enumerate(braids)
            if b.detector_id == detector and b.state in ("proposed", "active") and b.braid_id in masks
        ]
        live = [braids[i] for i in index]
        picked = choose(
            [max(b.quality.effect, 1e-6) for b in live],
            [b.target for b in live],
            [masks[b.braid_id] for b in live],
            manifest.weave,
        )
        for i, braid, chosen in zip(index, live, picked, strict=True):
            out[i] = _verdict(braid, chosen)
    return out


def _verdict(braid: Braid, chosen: bool) -> Braid:
    if not chosen:
        return braid.moved_to(
            "sunset" if braid.state == "active" else "archived", "conflict: a better braid acts there"
        )
    if braid.state == "active" or braid.target == IDENTITY:
        return braid
    return braid.moved_to("active", "accepted lesson")


def _move(braids: Sequence[Braid], detectors: Mapping[str, DetectorDay], manifest: Manifest) -> list[Braid]:
    out = list(braids)
    for detector in sorted({b.detector_id for b in braids if b.state == "active"}):
        index = [i for i, b in enumerate(braids) if b.detector_id == detector and b.state == "active"]
        live = [braids[i] for i in index]
        moved = night_moves([b.patch for b in live], [b.target for b in live], manifest.weave)
        for i, braid, patch in zip(index, live, moved, strict=True):
            out[i] = replace(braid, patch=patch, delta_realised=_realised(braid, patch, detectors, manifest))
    return out


def _realised(
    braid: Braid, patch: Patch, detectors: Mapping[str, DetectorDay], manifest: Manifest
) -> tuple[float, float, float]:
    day = detectors.get(braid.detector_id)
    if day is None:
        return braid.delta_realised
    theta = day.theta1[rule_mask(braid.rule, day.bins)]
    return realised_tilt(patch, theta, day.temperature, manifest.score, manifest.weave)


def _event(old: Braid | None, new: Braid, before: PriorsVersion, after: PriorsVersion) -> BraidEvent:
    moved = old is not None and old.state == new.state
    reason = "patch moved toward its target" if moved else new.reason
    return BraidEvent(
        new.braid_id, old.state if old else "none", new.state, reason, before.priors_ver, after.priors_ver
    )
