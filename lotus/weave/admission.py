"""Lessons at the door: which become micro braids, which replace a champion, which may not come back yet.

A lesson that may not act beside a braid in force is its challenger and replaces it only when their intervals separate
on matched windows. One that does not, or whose axes the watchdog took away tonight or a reviewer rejected, is kept with
the reason and changes nothing. What the e-process reverted comes back, under its own name or a neighbour's, only by a
crossing of the days since alone, for the search still remembers the days on which it was true; what merely expired,
when those days show it again as an extension asks. The monitor of a new braid is frozen here, from the search window of
its selection. Patches move elsewhere.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lotus.learning.lesson import Lesson
from lotus.learning.monitor import Monitor, inherit, unpatched_blocks, watch_blocks
from lotus.manifest import Manifest, WeaveDefaults
from lotus.priors.types import IDENTITY, MAX_GATE, Patch, Rule, Scope
from lotus.priors.vocabulary import rule_mask
from lotus.weave.braid import Braid, believed, mdl_bits, micro_braid
from lotus.weave.challenge import matched, rivals
from lotus.weave.earned import first_trust
from lotus.weave.review import barred
from lotus.weave.tilt import knob_patch, knob_tilt, patch_for, realised_tilt, tilt_share, wanted_tilt
from lotus.weave.trust import THROUGH_PATCH, Trust, caps_for
from lotus.weave.watchdog import ACTED, Evidence

SCOPE_OF: dict[str, Scope] = {"": "sig", "policy": "dm", "execution": "tr"}
OVER = ("reverted", "expired")  # tags of braids whose lesson has to show itself again


@dataclass(frozen=True, slots=True)
class DetectorDay:
    """What weaving needs of one detector on the last learning day: bins u1 [n, 12], theta1 f8 [n], temperature T.

    Of a policy of dm or tr, `knob` is the key (`policy:<knob>`, `execution:<knob>`) that its lessons move; then theta1
    and T play no part.
    """

    bins: NDArray[np.uint8]
    theta1: NDArray[np.float64]
    temperature: float
    knob: str = ""

    @property
    def scope(self) -> Scope:
        """Whose behaviour its lessons change."""
        return SCOPE_OF[self.knob.split(":")[0]]


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
    waiting = [b for b in braids if _same_axes(b, lesson) and b.state == "proposed"]
    if any(b.lesson_id == lesson.lesson_id for b in braids) or (waiting and not tilt.delta):
        return braids
    target = target_of(tilt.delta, lesson, day, manifest) if tilt.delta else IDENTITY
    monitor = _monitor(braids, lesson, evidence, manifest)
    made = replace(
        micro_braid(lesson, branch, target, tilt.delta, tilt.reason, effective_from_ms, manifest.weave, monitor),
        scope=day.scope,
        trust=_trust(braids, lesson, day, evidence),
    )
    refusal, beaten = _challenge(braids, made, lesson, day, evidence, manifest)
    refusal = _refusal(braids, lesson, evidence, effective_from_ms, manifest.weave) or refusal
    if refusal:
        return [*braids, made.moved_to("archived", refusal)]
    reasons = {**{b.braid_id: "the evidence now bears a patch" for b in waiting}, **beaten}
    heir = _heir(made, [b for b in braids if b.braid_id in reasons and _same_axes(b, lesson)])
    left = [b.moved_to(b.ends_as, reasons[b.braid_id], evidence.day) if b.braid_id in reasons else b for b in braids]
    return [*left, heir]


def _heir(made: Braid, champions: Sequence[Braid]) -> Braid:
    """Return a new braid with n, the running terms and the trust of the champions it replaces on its own axes."""
    for champion in champions:
        if made.monitor is not None and champion.monitor is not None:
            made = replace(made, monitor=inherit(champion.monitor, made.monitor))
        made = replace(made, trust=champion.trust or made.trust)
    return made


def target_of(
    delta: float, lesson: Lesson | Braid, day: DetectorDay, manifest: Manifest, cap_mult: float = 1.0
) -> Patch:
    """Return the patch that realises a tilt on the rule's windows of the day; `cap_mult` widens its two bounds."""
    weave = manifest.weave
    if cap_mult != 1.0:
        weave = replace(weave, theta_step=weave.theta_step * cap_mult, phi_step=weave.phi_step**cap_mult)
    if day.knob:
        return knob_patch(delta, day.knob, weave)
    return patch_for(delta, day.temperature, theta_bar(lesson.rule, day), manifest.score, weave)


def target_at_level(braid: Braid, day: DetectorDay, manifest: Manifest) -> Patch:
    """Return the patch of a braid that has earned a level: the whole cap of the level in its direction.

    The first logit goes through (theta, phi) within their bounds; what they do not realise of the cap at the median
    penalty of the day goes through the gate.
    """
    caps = caps_for(braid.grade, manifest.weave)
    tilt = braid.sign * caps[min(braid.level, len(caps) - 1)]  # an account that goes live has fewer
    first = math.copysign(min(abs(tilt), THROUGH_PATCH), tilt)
    patch = target_of(first, braid, day, manifest, braid.cap_mult)
    median = np.array([theta_bar(braid.rule, day)])
    _, done, _ = realised_tilt(patch, median, day.temperature, manifest.score, manifest.weave)
    return replace(patch, gate=max(-MAX_GATE, min(MAX_GATE, tilt - done)))


def theta_bar(rule: Rule, day: DetectorDay) -> float:
    """Return the median penalty on the rule's windows of the day, .5 without windows."""
    theta = day.theta1[rule_mask(rule, day.bins)]
    return float(np.median(theta)) if len(theta) else 0.5


def _monitor(braids: Sequence[Braid], lesson: Lesson, evidence: Evidence, manifest: Manifest) -> Monitor | None:
    """Return the monitor frozen at selection; None without rows of the search window, or without scatter in them."""
    rows = evidence.window.get(lesson.detector_id)
    if rows is None:
        return None
    blocks = unpatched_blocks(rows, lesson.rule, believed(braids, lesson.detector_id))
    days = manifest.weave.ttl_days + manifest.weave.extension_days
    return watch_blocks(lesson.sign, lesson.claim_bps, lesson.uplift_bps, blocks, days, evidence.day)


def _trust(braids: Sequence[Braid], lesson: Lesson, day: DetectorDay, evidence: Evidence) -> Trust | None:
    """Return the trust that a lesson about a score begins with; None without rows of the search window."""
    rows = evidence.window.get(lesson.detector_id)
    if rows is None or day.knob:
        return None
    return first_trust(lesson, rows, believed(braids, lesson.detector_id), evidence.day)


def _refusal(
    braids: Sequence[Braid],
    lesson: Lesson,
    evidence: Evidence,
    now_ms: int,
    weave: WeaveDefaults,
) -> str:
    braids = [b for b in braids if b.experiment is None]
    for braid in braids:
        taken = _same_axes(braid, lesson) and not set(ACTED).isdisjoint(braid.tags)
        if taken and braid.ended_on >= lesson.night:
            return f"{braid.reason}; its axes return only by a crossing on a later day"
    for braid in braids:
        if set(OVER).isdisjoint(braid.tags) or not neighbours(braid, lesson, evidence):
            continue
        t = _t_since(braid.ended_on, lesson, braids, evidence)
        needed = _crossing_t(lesson) if "reverted" in braid.tags else weave.extension_t
        if not t >= needed:
            own = "the same axes" if braid.rule == lesson.rule else f"a neighbour ({braid.braid_id[:8]})"
            return f"{own} ended on {braid.ended_on}; t of the days since {t:.2f}, below {needed:.2f}"
    return barred(braids, lesson.detector_id, (lesson.rule, lesson.sign), now_ms)


def neighbours(braid: Braid, lesson: Lesson, evidence: Evidence) -> bool:
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
    """Return the t of a lesson's gain in its direction on the days after `ended_on`, of the weaker lane; 0 without."""
    rows = evidence.window.get(lesson.detector_id)
    if rows is None:
        return 0.0
    blocks = unpatched_blocks(rows, lesson.rule, believed(braids, lesson.detector_id))
    later = np.array([day > ended_on for day in blocks.day], dtype=np.bool_)
    gains = [lesson.sign * lane.gain[later] for lane in (blocks, blocks.rest) if lane is not None]
    return min(float(x.sum()) / math.sqrt(float((x * x).sum())) if np.any(x) else 0.0 for x in gains)


def _challenge(
    braids: Sequence[Braid],
    made: Braid,
    lesson: Lesson,
    day: DetectorDay,
    evidence: Evidence,
    manifest: Manifest,
) -> tuple[str, dict[str, str]]:
    """Return why champions of a lesson's new braid stand (nothing: none does) and by name why each beaten one goes."""
    rows, beaten = evidence.window.get(lesson.detector_id), dict[str, str]()
    for champion in rivals(braids, lesson, rows, day.bins, manifest.weave.max_overlap):
        stands = f"champion {champion.braid_id} stands"
        if rows is None or not made.delta_wanted:
            return f"{stands}: {made.reason or 'there are no windows to match'}", {}
        tilts = _tilt(champion, day, manifest), _tilt(made, day, manifest)
        match = matched(braids, champion, lesson, tilts, rows, manifest.learning.half_life_days)
        if not match.won:
            return f"{stands}: {match.words()}", {}
        beaten[champion.braid_id] = f"a challenger won: {match.words()}"
    return "", beaten


def _tilt(braid: Braid, day: DetectorDay, manifest: Manifest) -> float:
    """Return by how much a braid's target, as reviewers and the account leave it, tilts the logit on the day."""
    if braid.level:
        _, median, _ = realised(braid, target_at_level(braid, day, manifest), day, manifest)
        return median * braid.strength
    _, median, _ = realised(braid, braid.target, day, manifest)
    return median * braid.strength * tilt_share(braid.grade, manifest.weave)


def realised(braid: Braid, patch: Patch, day: DetectorDay, manifest: Manifest) -> tuple[float, float, float]:
    """Return (p10, median, p90) of the tilt that a patch, gate and all, realises on the rule's windows of the day."""
    if day.knob:
        tilt = knob_tilt(patch, manifest.weave)
        return tilt, tilt, tilt
    theta = day.theta1[rule_mask(braid.rule, day.bins)]
    tilts = realised_tilt(patch, theta, day.temperature, manifest.score, manifest.weave)
    if not patch.gate:
        return tilts
    low, median, high = (tilt + patch.gate for tilt in tilts)
    return low, median, high


def _same_axes(braid: Braid, lesson: Lesson) -> bool:
    return (braid.detector_id, braid.rule, braid.sign) == (lesson.detector_id, lesson.rule, lesson.sign)
