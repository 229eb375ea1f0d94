"""Lessons at the door: which become micro braids, which replace a champion, which may not come back yet.

A lesson whose axes are those of a living braid is its challenger and replaces it only when the intervals separate. One
whose axes the watchdog took away tonight, or a reviewer rejected, is kept with the reason and changes nothing. What the
e-process reverted comes back, under its own name or a neighbour's, only by a crossing of the days since alone, for the
search still remembers the days on which it was true; what merely expired, when those days show it again as an extension
asks. The monitor of a new braid is frozen here, from the search window of its selection. Patches move elsewhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lesson import Lesson
from lotus.learning.monitor import Monitor, inherit, unpatched_blocks, variance_rate, watch
from lotus.manifest import Manifest, WeaveDefaults
from lotus.priors.types import IDENTITY, Patch
from lotus.priors.vocabulary import rule_mask
from lotus.weave.braid import LIVING, Braid, believed, mdl_bits, micro_braid
from lotus.weave.review import barred
from lotus.weave.tilt import Tilt, patch_for, wanted_tilt
from lotus.weave.watchdog import ACTED, Evidence

OVER = ("reverted", "expired")  # tags of braids whose lesson has to show itself again


@dataclass(frozen=True, slots=True)
class DetectorDay:
    """What weaving needs of one detector on the last learning day: bins u1 [n, 12], theta1 f8 [n], temperature T."""

    bins: NDArray[np.uint8]
    theta1: NDArray[np.float64]
    temperature: float


def admit(
    braids: list[Braid],
    lesson: Lesson,
    branch: str,
    day: DetectorDay,
    evidence: Evidence,
    effective_from_ms: int,
    manifest: Manifest,
) -> list[Braid]:
    """Return the board with what an accepted lesson adds to it or replaces on it."""
    tilt = wanted_tilt(lesson, manifest.weave)
    monitor = _monitor(braids, lesson, evidence, manifest)
    for champion in braids:
        if _same_axes(champion, lesson) and champion.state in LIVING:
            challenger = _challenge(champion, lesson, tilt)
            if champion.lesson_id == lesson.lesson_id or not challenger:
                return braids
            braids = [b.moved_to(b.ends_as, challenger, evidence.day) if b is champion else b for b in braids]
            if monitor is not None and champion.monitor is not None:
                monitor = inherit(champion.monitor, monitor.claim_bps, monitor.variance)
    target = target_of(tilt.delta, lesson, day, manifest) if tilt.delta else IDENTITY
    made = micro_braid(lesson, branch, target, tilt.delta, tilt.reason, effective_from_ms, manifest.weave, monitor)
    refusal = _refusal(braids, lesson, evidence, effective_from_ms, manifest.weave)
    return [*braids, made.moved_to("archived", refusal) if refusal else made]


def target_of(
    delta: float, lesson: Lesson | Braid, day: DetectorDay, manifest: Manifest, cap_mult: float = 1.0
) -> Patch:
    """Return the patch that realises a tilt on the rule's windows of the day; `cap_mult` widens its two bounds."""
    theta = day.theta1[rule_mask(lesson.rule, day.bins)]
    theta_bar = float(np.median(theta)) if len(theta) else 0.5
    weave = manifest.weave
    if cap_mult != 1.0:
        weave = replace(weave, theta_step=weave.theta_step * cap_mult, phi_step=weave.phi_step**cap_mult)
    return patch_for(delta, day.temperature, theta_bar, manifest.score, weave)


def _monitor(braids: Sequence[Braid], lesson: Lesson, evidence: Evidence, manifest: Manifest) -> Monitor | None:
    """Return the monitor frozen at selection; None without rows of the search window, or without scatter in them."""
    rows = evidence.window.get(lesson.detector_id)
    if rows is None or lesson.claim_bps == 0.0:
        return None
    blocks = unpatched_blocks(rows, lesson.rule, believed(braids, lesson.detector_id))
    rate = variance_rate(blocks, lesson.uplift_bps)
    days = manifest.weave.ttl_days + manifest.weave.extension_days
    return watch(lesson.sign, lesson.claim_bps, rate, days, evidence.day) if rate > 0.0 else None


def _refusal(
    braids: Sequence[Braid],
    lesson: Lesson,
    evidence: Evidence,
    now_ms: int,
    weave: WeaveDefaults,
) -> str:
    for braid in braids:
        taken = _same_axes(braid, lesson) and not set(ACTED).isdisjoint(braid.tags)
        if taken and braid.ended_on >= lesson.night:
            return f"{braid.reason}; its axes return only by a crossing on a later day"
    for braid in braids:
        if set(OVER).isdisjoint(braid.tags) or not _neighbours(braid, lesson, evidence):
            continue
        t = _t_since(braid.ended_on, lesson, braids, evidence)
        needed = _crossing_t(lesson) if "reverted" in braid.tags else weave.extension_t
        if not t >= needed:
            own = "the same axes" if braid.rule == lesson.rule else f"a neighbour ({braid.braid_id[:8]})"
            return f"{own} ended on {braid.ended_on}; t of the days since {t:.2f}, below {needed:.2f}"
    return barred(braids, lesson.detector_id, (lesson.rule, lesson.sign), now_ms)


def _neighbours(braid: Braid, lesson: Lesson, evidence: Evidence) -> bool:
    """Tell whether half of the smaller rule's windows of the search window are those of both, in one direction."""
    if _same_axes(braid, lesson):
        return True
    rows = evidence.window.get(lesson.detector_id)
    if rows is None or (braid.detector_id, braid.sign) != (lesson.detector_id, lesson.sign):
        return False
    one, two = rows.covered(braid.rule), rows.covered(lesson.rule)
    return bool(2 * (one & two).sum() >= max(min(one.sum(), two.sum()), 1))


def _crossing_t(lesson: Lesson) -> float:
    """Return the t at which evidence after the price of the rule's length exceeds what the lesson had to exceed."""
    return math.sqrt(2.0 * (max(lesson.critical, 0.0) + mdl_bits(lesson.rule) * math.log(2.0)))


def _t_since(ended_on: str, lesson: Lesson, braids: Sequence[Braid], evidence: Evidence) -> float:
    """Return the t of a lesson's gain in its own direction on the days after `ended_on`; 0 without such days."""
    rows = evidence.window.get(lesson.detector_id)
    if rows is None:
        return 0.0
    blocks = unpatched_blocks(rows, lesson.rule, believed(braids, lesson.detector_id))
    gain = lesson.sign * blocks.gain[np.array([day > ended_on for day in blocks.day], dtype=np.bool_)]
    square = float((gain * gain).sum())
    return float(gain.sum()) / math.sqrt(square) if square > 0.0 else 0.0


def _challenge(champion: Braid, lesson: Lesson, tilt: Tilt) -> str:
    """Return why a lesson on the same axes replaces the champion, empty when it does not."""
    if champion.state == "proposed":
        return "the evidence now bears a patch" if tilt.delta else ""
    low, high = champion.ci95, lesson.ci95
    return "" if low[0] <= high[1] and high[0] <= low[1] else "intervals separated"


def _same_axes(braid: Braid, lesson: Lesson) -> bool:
    return (braid.detector_id, braid.rule, braid.sign) == (lesson.detector_id, lesson.rule, lesson.sign)
