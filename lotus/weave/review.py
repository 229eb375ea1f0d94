"""The review board: what people (or programs that speak for them) may do to braids, and how well they did.

Every act is a row with its author that names a braid; the next night applies it. Acts may approve, reject with a reason
code, extend a time to live once, attenuate, raise one braid's bounds by a tenth in all, or freeze or lower its level of
trust until an approval. None can raise a grade or a level, or put in force what evidence does not bear. Nothing is
stored here. In the literature: human-in-the-loop governance with an audit trail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal as OneOf

from lotus.manifest import WeaveDefaults
from lotus.timebase import DAY_MS, day_start_ms
from lotus.weave.braid import LIVING, Braid
from lotus.weave.trust import frozen, lowered, thawed
from lotus.weave.watchdog import extended, unextended

ActKind = OneOf["approve", "reject", "extend", "attenuate", "raise_cap", "freeze", "lower", "rollback"]
LIFTS = "lifts "  # of an approval's reason: the act that it names is left out by the night that would have applied it
REASON_CODES = ("implausible", "data_problem", "duplicate", "too_costly", "regime_over", "other")


@dataclass(frozen=True, slots=True)
class ReviewAct:
    """One act: on which braid (or version, for a rollback), by whom, why, how much, after which committed day."""

    act_id: str
    branch: str
    asof_day: str
    kind: ActKind
    target: str
    author: str
    reason_code: str = ""
    factor: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class ActOutcome:
    """What became of an act in the night that took it up."""

    act: ReviewAct
    accepted: bool
    text: str


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One reviewer: acts, approvals that the watchdog later reverted, days to decide, new axes per approval."""

    author: str
    acts: int
    approvals: int
    false_promotions: int
    days_to_decide: float
    diversity: float


def reviewed(
    board: Sequence[Braid], acts: Sequence[ReviewAct], day: str, weave: WeaveDefaults
) -> tuple[list[Braid], list[ActOutcome]]:
    """Return the board after the acts (by their names, one after the other) and what became of each.

    An act that an approval of the same braid lifts is left out, and so is that approval, whatever their order.
    """
    braids = {b.braid_id: b for b in board}
    outcomes = []
    waiting = {act.act_id: act for act in acts}
    lifts = lifted(waiting)
    for act in sorted(acts, key=lambda a: a.act_id):
        if act.act_id in lifts:
            outcomes.append(ActOutcome(act, False, f"lifted by {lifts[act.act_id].author} before it was applied"))
            continue
        if _lifts(act, waiting):
            kind = waiting[act.reason_code.removeprefix(LIFTS)].kind
            outcomes.append(ActOutcome(act, True, f"the {kind} that it names was left out"))
            continue
        if act.kind == "rollback":
            outcomes.append(ActOutcome(act, True, f"the board follows version {act.target}"))
            continue
        braid = braids.get(act.target)
        if braid is None:
            outcomes.append(ActOutcome(act, False, f"there is no braid {act.target} on the board"))
            continue
        changed, text = _applied(braid, act, day, weave)
        outcomes.append(ActOutcome(act, changed is not None, text))
        if changed is not None:
            braids[act.target] = changed
    return [braids[b.braid_id] for b in board], outcomes


def _lifts(act: ReviewAct, waiting: Mapping[str, ReviewAct]) -> bool:
    """Tell whether an act is an approval that names one of the same braid among those that wait."""
    named = waiting.get(act.reason_code.removeprefix(LIFTS)) if act.reason_code.startswith(LIFTS) else None
    return act.kind == "approve" and named is not None and named.target == act.target and named.kind != "rollback"


def lifted(waiting: Mapping[str, ReviewAct]) -> dict[str, ReviewAct]:
    """Return what lifts each act that is left out, by names, of those that wait; a lift that is lifted lifts nothing.

    Names are hashes of what acts say, so a chain of lifts has an end.
    """
    lifts = {a.act_id: a.reason_code.removeprefix(LIFTS) for a in waiting.values() if _lifts(a, waiting)}
    settled: dict[str, ReviewAct] = {}
    for _ in range(len(lifts) + 1):  # the longest chain
        settled = {lifts[name]: waiting[name] for name in sorted(lifts) if name not in settled}
    return settled


def _applied(braid: Braid, act: ReviewAct, day: str, weave: WeaveDefaults) -> tuple[Braid | None, str]:
    if act.kind == "approve":
        freed = replace(braid, trust=thawed(braid.trust) if braid.trust else None)
        return freed.tagged("approved", drop="rejected"), f"approved by {act.author}; the grade stays {braid.grade}"
    if braid.state not in LIVING:
        return None, f"the braid is {braid.state}; nothing to {act.kind}"
    if act.kind == "reject":
        reason = f"rejected by {act.author}: {act.reason_code}"
        return braid.moved_to(braid.ends_as, reason, day).tagged("rejected", drop="approved"), reason
    if act.kind == "extend":
        longer = extended(braid, weave)
        return (longer, longer.reason) if longer else (None, f"no extension: {unextended(braid, weave)}")
    if act.kind in ("freeze", "lower"):
        return _held_back(braid, act)
    if braid.experiment is not None:
        return None, "an experiment can be stopped by a rejection, not changed"
    if act.kind == "attenuate":
        if not 0.0 < act.factor <= 1.0:
            return None, f"attenuation by {act.factor}, 0 < lambda <= 1 needed"
        return replace(braid, strength=braid.strength * act.factor), f"attenuated by {act.author}: x{act.factor}"
    limit = 1.0 + weave.cap_raise
    if not act.factor >= 1.0 or braid.cap_mult * act.factor > limit + 1e-9:
        return None, f"bounds x{braid.cap_mult * act.factor:.3f}, at most x{limit:g} in all"
    return replace(braid, cap_mult=braid.cap_mult * act.factor), f"bounds raised by {act.author}: x{act.factor}"


def _held_back(braid: Braid, act: ReviewAct) -> tuple[Braid | None, str]:
    """Return the braid whose level rises no more, or stands one lower, until it is approved."""
    why = f"by {act.author}: {act.reason_code}"
    if braid.trust is None:
        return None, f"it can earn no level; nothing to {act.kind}"
    if act.kind == "freeze":
        return replace(braid, trust=frozen(braid.trust)), f"frozen at level {braid.level} {why}"
    if not braid.level:
        return None, "its level is 0; nothing to lower"
    return replace(braid, trust=lowered(braid.trust, braid.level - 1)), f"lowered to level {braid.level - 1} {why}"


def barred(board: Sequence[Braid], detector_id: str, axes: object, now_ms: int) -> str:
    """Return why a lesson on these axes may not come back yet (a rejection stands until its time ends), or empty."""
    for braid in board:
        same = braid.detector_id == detector_id and (braid.rule, braid.sign) == axes and braid.experiment is None
        if same and "rejected" in braid.tags and braid.expires_at_ms > now_ms:
            return f"{braid.reason}; an approval of {braid.braid_id} lifts it"
    return ""


def reviewers(outcomes: Sequence[ActOutcome], board: Sequence[Braid]) -> list[Reviewer]:
    """Return the statistics of every reviewer over all acts that were taken up.

    A false promotion is an approved braid that the watchdog reverted; days to decide run from the braid's start to the
    act; diversity is the mean share of a braid's features that no other braid then in force of the detector used.
    """
    braids = {b.braid_id: b for b in board}
    out = []
    for author in sorted({o.act.author for o in outcomes}):
        mine = [o for o in outcomes if o.act.author == author]
        on = [(o, braids[o.act.target]) for o in mine if o.act.target in braids]
        approved = [
            b for o, b in on if o.act.kind == "approve" and o.accepted and not o.act.reason_code.startswith(LIFTS)
        ]
        waits = [max(0.0, (day_start_ms(o.act.asof_day) - b.effective_from_ms) / DAY_MS + 1.0) for o, b in on]
        out.append(
            Reviewer(
                author,
                len(mine),
                len(approved),
                sum("reverted" in b.tags for b in approved),
                sum(waits) / len(waits) if waits else 0.0,
                sum(_novel(b, braids) for b in approved) / len(approved) if approved else 0.0,
            )
        )
    return out


def _novel(braid: Braid, board: Mapping[str, Braid]) -> float:
    own = {x.feature for x in braid.rule.literals}
    others = [b for b in board.values() if b.braid_id != braid.braid_id and b.detector_id == braid.detector_id]
    used = {x.feature for b in others if b.in_force for x in b.rule.literals}
    return len(own - used) / len(own) if own else 0.0
