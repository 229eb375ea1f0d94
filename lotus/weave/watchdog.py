"""The watchdog: what takes patches away, every night and between nights, whoever made them.

In this order: an alarm of the detector's audits, the e-process of `lotus.learning.monitor` at 20, support that dried
up, the end of the time to live (one extension, if the blocks since selection show the effect again; of a braid that has
earned a level the night decides, see `earned`). A patch that is
taken away becomes the identity at once, whatever the nightly limits on movement say. Then compositions whose parents
left, and the archive. A weekly second opinion that disagrees is told and bars the extension; it reverts nothing, since
it does not say which of the two estimates is wrong and has no bound on false alarms. Nothing is written or sent here.
In the literature: sequential monitoring, safe rollback.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal as OneOf

from lotus.learning.monitor import REVERT_AT, Blocks, observe, unpatched_blocks
from lotus.learning.rows import DetectorRows
from lotus.manifest import WeaveDefaults
from lotus.priors.types import Scope
from lotus.timebase import DAY_MS
from lotus.weave.algebra import union_weights
from lotus.weave.braid import LIVING, Braid, believed
from lotus.weave.composition import contrast_blocks, family_parts, parts_of
from lotus.weave.doubt import claimed_blocks, rule_blocks

AlertKind = OneOf["reverted", "dry", "audit", "expired", "extended", "orphaned", "disputed"]
DISPUTED = "disputed"  # tag of a lesson on which the newest second opinion disagrees
ACTED = ("reverted", "dry", "audit")  # kinds after which the same axes return only by a lesson of a later night


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a night knows beside its lessons: the day, its windows and those of the search window by detector, alarms.

    `today` holds rows of the learning day alone; `window` those of the search window, needed on nights that admit a
    lesson. `alarms` names detectors whose audits are in alarm, with the reason; `opinions` the lessons on which a
    second opinion was heard tonight: why it disagrees, or nothing.
    """

    day: str = ""
    today: Mapping[str, DetectorRows] = field(default_factory=dict)
    window: Mapping[str, DetectorRows] = field(default_factory=dict)
    alarms: Mapping[str, str] = field(default_factory=dict)
    opinions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BraidAlert:
    """One act of the watchdog, as it is told to the modules that the braid's scope concerns."""

    braid_id: str
    detector_id: str
    kind: AlertKind
    reason: str
    e_value: float
    scope: Scope = "sig"


def watch_over(
    board: Sequence[Braid], evidence: Evidence, now_ms: int, weave: WeaveDefaults
) -> tuple[list[Braid], list[BraidAlert]]:
    """Return the board after the watchdog and its alerts; `now_ms` is the swap at which the result takes effect."""
    return judge([_observed(braid, board, evidence) for braid in board], evidence, now_ms, weave)


def judge(
    board: Sequence[Braid], evidence: Evidence, now_ms: int, weave: WeaveDefaults
) -> tuple[list[Braid], list[BraidAlert]]:
    """Return the same without taking in windows: monitors and counts of dry days stay as they are."""
    heard = [_heard(braid, evidence) for braid in board]
    judged = [_judged(braid, evidence, now_ms, weave) for braid, _ in heard]
    alerts = [alert for _, alert in (*heard, *judged) if alert is not None]
    kept, lost = orphans([braid for braid, _ in judged], evidence.day)
    return archived(kept, evidence.day), [*alerts, *lost]


def orphans(board: Sequence[Braid], day: str) -> tuple[list[Braid], list[BraidAlert]]:
    """End compositions and fields that lost what they act through; return the board and the alerts."""
    acting = {b.braid_id for b in board if b.state == "active"}
    out, alerts = [], []
    for braid in sorted(board, key=lambda b: b.braid_type, reverse=True):
        gone = sorted(set(braid.parents) - acting) if braid.state == "active" else []
        if gone:
            reason = f"parent {gone[0]} is no longer active"
            acting.discard(braid.braid_id)
            alerts.append(alert_of(braid, "orphaned", reason))
            braid = braid.moved_to("sunset", reason, day)
        out.append(braid)
    order = {b.braid_id: i for i, b in enumerate(board)}
    return sorted(out, key=lambda b: order[b.braid_id]), alerts


def archived(board: Sequence[Braid], day: str) -> list[Braid]:
    """Archive what ended on an earlier day and has no child left that is not archived."""
    living_parents = {name for b in board if b.state != "archived" for name in b.parents}
    return [
        b.moved_to("archived", "sunset over, all children archived")
        if b.state == "sunset" and b.ended_on < day and b.braid_id not in living_parents
        else b
        for b in board
    ]


def _observed(braid: Braid, board: Sequence[Braid], evidence: Evidence) -> Braid:
    """Return the braid with the day's blocks in its monitor, and its count of dry days."""
    if braid.state not in LIVING or braid.monitor is None or evidence.day <= braid.monitor.last_day:
        return braid
    rows = evidence.today.get(braid.detector_id)
    blocks = _blocks(braid, board, rows) if rows is not None else None
    if blocks is None or not blocks.weight.sum() > 0.0:
        return replace(braid, dry_days=braid.dry_days + 1, monitor=replace(braid.monitor, last_day=evidence.day))
    return replace(braid, dry_days=0, monitor=observe(braid.monitor, blocks))


def _heard(braid: Braid, evidence: Evidence) -> tuple[Braid, BraidAlert | None]:
    """Return the braid marked by the newest second opinion on its lesson, and the alert of one that disagrees."""
    opinion = evidence.opinions.get(braid.lesson_id) if braid.braid_type == "micro" and braid.in_force else None
    if opinion is None:
        return braid, None
    if not opinion:
        return (replace(braid, tags=tuple(t for t in braid.tags if t != DISPUTED)), None)
    return braid.tagged(DISPUTED), alert_of(braid, "disputed", opinion)


def _blocks(braid: Braid, board: Sequence[Braid], rows: DetectorRows) -> Blocks | None:
    others = believed(board, braid.detector_id, (braid.braid_id, *braid.parents))
    if braid.experiment is not None:
        return rule_blocks(rows, braid.rule, others)
    if braid.braid_type == "field":
        return None
    if braid.braid_type == "micro":
        return (claimed_blocks if braid.level else unpatched_blocks)(rows, braid.rule, others)
    by_id = {b.braid_id: b for b in board}
    parents = [by_id[name] for name in braid.parents]
    if braid.op == "RULE":
        tilt = braid.delta_wanted * braid.strength * braid.tilt_share
        parts = family_parts(braid.rule, tilt, parents, braid.detector_id)
    else:
        parts = parts_of(parents, braid.weights or union_weights(parents))
    return contrast_blocks(braid.op, parts, others, rows)


def _judged(braid: Braid, evidence: Evidence, now_ms: int, weave: WeaveDefaults) -> tuple[Braid, BraidAlert | None]:
    if braid.state not in LIVING:
        return braid, None
    cause = _cause(braid, evidence, weave)
    if cause is not None:
        return ended(braid, *cause, evidence.day)
    if braid.expires_at_ms > now_ms or renewable(braid):
        return braid, None
    longer = extended(braid, weave)
    if braid.state == "active" and longer is not None:
        return longer, alert_of(braid, "extended", longer.reason)
    return ended(braid, "expired", "time to live ended", evidence.day)


def extended(braid: Braid, weave: WeaveDefaults) -> Braid | None:
    """Return the braid with its one extension, or None, see `unextended`."""
    if unextended(braid, weave):
        return None
    t = braid.monitor.fresh_t if braid.monitor else 0.0
    reason = f"extended once by {weave.extension_days} days: t since selection {t:.2f}"
    until = braid.expires_at_ms + weave.extension_days * DAY_MS
    return replace(braid, expires_at_ms=until, reason=reason).tagged("extended")


def unextended(braid: Braid, weave: WeaveDefaults) -> str:
    """Return why a braid may not be extended: it was before, it is disputed, the new evidence is thin; else nothing."""
    t = braid.monitor.fresh_t if braid.monitor else 0.0
    if braid.experiment is not None:
        return "an experiment ends with its time"
    if "extended" in braid.tags:
        return "extended before"
    if DISPUTED in braid.tags:
        return "a second opinion disagrees"
    return "" if t >= weave.extension_t else f"t since selection {t:.2f}, {weave.extension_t} needed"


def renewable(braid: Braid) -> bool:
    """Return whether the end of its time to live asks what its trust earned in it: it has a level, undisputed."""
    return braid.state == "active" and braid.level > 0 and DISPUTED not in braid.tags


def _cause(braid: Braid, evidence: Evidence, weave: WeaveDefaults) -> tuple[AlertKind, str] | None:
    """Return why the patch is taken away before its time, or None."""
    alarm = evidence.alarms.get(braid.detector_id)
    if alarm and braid.state == "active":
        return "audit", f"audit alarm of {braid.detector_id}: {alarm}"
    if braid.monitor is not None and braid.monitor.dead:
        shown = f"e-process reached {braid.monitor.peak:.1f} after {braid.monitor.blocks} blocks"
        return "reverted", f"{shown}, {REVERT_AT:g} reverts: the lesson no longer earns its claim"
    if braid.dry_days >= weave.dry_days:
        return "dry", f"{braid.dry_days} learning days without weight in its rule, {weave.dry_days} revert"
    return None


def ended(braid: Braid, kind: AlertKind, reason: str, day: str) -> tuple[Braid, BraidAlert | None]:
    """Return the braid after its end on a day, and what is told of it: nothing of one that was only proposed."""
    over = replace(braid.moved_to(braid.ends_as, reason), ended_on=day)
    marked = over.tagged(kind) if kind in ACTED or braid.state == "active" else over
    if braid.state == "proposed":
        return marked, None
    return marked, alert_of(braid, kind, reason)


def alert_of(braid: Braid, kind: AlertKind, reason: str) -> BraidAlert:
    """Return what is told of an act on a braid."""
    return BraidAlert(braid.braid_id, braid.detector_id, kind, reason, braid.e_value, braid.scope)
