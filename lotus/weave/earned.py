"""What a learning day adds to the trust of the braids on a board, and the rows that tell it.

The law is `lotus.weave.trust`; here it meets boards and windows. Evidence is that of the day's windows at the logged
propensities, over a baseline of the other braids that were in force. Patches are not moved here.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lotus.learning.lesson import Lesson
from lotus.learning.rows import DetectorRows
from lotus.manifest import Manifest, WeaveDefaults
from lotus.priors.types import Rule
from lotus.timebase import DAY_MS
from lotus.weave.braid import LIVING, Braid, believed
from lotus.weave.doubt import HOUR_MS, claimed, shortfalls
from lotus.weave.trust import (
    FEW_DAYS,
    Trust,
    TrustDay,
    after_day,
    begin,
    caps_for,
    floor_for,
    overlap,
    renewed,
    rule_days,
    scale_of,
)
from lotus.weave.watchdog import BraidAlert, Evidence, alert_of, ended, renewable

DEAD = "E {0.e_value:.3g} of its days in doubt, {0.needed:g} reverts: the lesson no longer earns its claim"


@dataclass(frozen=True, slots=True)
class TrustRow:
    """A row of `braid_trust`: level after the day, E, lower estimate of the daily signal to noise, cap in logits, why.

    The estimate is NaN before there are days enough.
    """

    braid_id: str
    level: int
    e: float
    snr_low: float
    cap: float
    reason: str


def first_trust(lesson: Lesson, rows: DetectorRows, others: Sequence[Rule], day: str) -> Trust | None:
    """Return the trust that a lesson begins with: its days are measured by those of its selection, `rows` up to `day`.

    None where those have no scatter.
    """
    gains, weights = rule_days(rows, lesson.rule, lesson.sign, tuple(others))
    gains = gains[weights > 0.0]
    scale = scale_of(gains)
    return begin(scale, day, float(gains.min())) if scale > 0.0 else None


@dataclass(frozen=True, slots=True)
class Earning:
    """A board with the day in its trust, why each trust stands where it does, by braid, and lives that began anew."""

    braids: tuple[Braid, ...]
    reasons: Mapping[str, str]
    alerts: tuple[BraidAlert, ...]


def earned(
    braids: Sequence[Braid], standing: Sequence[Braid], evidence: Evidence, now_ms: int, manifest: Manifest
) -> Earning:
    """Return the board with the day in the trust of every braid that was and is in force.

    `standing` is the board of the day itself: what is still on `braids` may have ended since. A time to live that ends
    by `now_ms` is renewed where it earned that, and costs a level where it did not.
    """
    acting = {b.braid_id for b in standing if b.braid_type == "micro" and b.in_force}
    out, reasons, alerts = list(braids), dict[str, str](), list[BraidAlert]()
    for i, braid in enumerate(braids):
        if braid.trust is None or braid.state != "active" or braid.braid_id not in acting:
            continue
        others = believed(standing, braid.detector_id, (braid.braid_id,))
        trust, step = after_day(
            braid.trust, _seen(braid, others, evidence, manifest), caps_for(braid.grade, manifest.weave)
        )
        out[i] = replace(braid, trust=trust)
        reasons[braid.braid_id] = step.reason if step else "no weight in its rule"
        if trust.dead:
            out[i], alert = ended(out[i], "reverted", DEAD.format(trust.doubt), evidence.day)
            alerts += [alert] if alert else []
        elif braid.expires_at_ms <= now_ms and renewable(out[i]):
            trust, reason = renewed(trust, evidence.day)
            until = braid.expires_at_ms + manifest.weave.extension_days * DAY_MS
            out[i] = replace(braid, trust=trust, expires_at_ms=until, reason=reason)
            reasons[braid.braid_id] = reason
            alerts.append(alert_of(out[i], "extended", reason))
    return Earning(tuple(out), reasons, tuple(alerts))


def _seen(braid: Braid, others: Sequence[Rule], evidence: Evidence, manifest: Manifest) -> TrustDay:
    """Return what the day tells of a braid; without windows of its detector, a day without weight."""
    rows, caps = evidence.today.get(braid.detector_id), caps_for(braid.grade, manifest.weave)
    if rows is None or not caps:
        return TrustDay(evidence.day, 0.0, 0.0, 0.0, 0.0)
    gains, weights = rule_days(rows, braid.rule, braid.sign, tuple(others))
    u, floor = rows.u0[rows.covered(braid.rule)], manifest.score.epsilon
    ahead = min(braid.level + 1, len(caps) - 1)
    return TrustDay(
        evidence.day,
        float(gains.sum()),
        float(weights.sum()),
        overlap(u, braid.delta_realised[1], floor_for(braid.level, floor)),
        overlap(u, braid.sign * braid.strength * caps[ahead], floor_for(ahead, floor)),
        _short(braid, others, rows),
    )


def _short(braid: Braid, others: Sequence[Rule], rows: DetectorRows) -> tuple[float, ...]:
    """Return by how much each hour falls short of a claim in doubt; nothing for one that is not."""
    if braid.monitor is None or braid.trust is None or braid.trust.doubt is None:
        return ()
    return shortfalls(*claimed(rows, braid.rule, others), (rows.end_ms - 1) // HOUR_MS, braid.monitor)


def trust_rows(board: Sequence[Braid], reasons: Mapping[str, str], weave: WeaveDefaults) -> tuple[TrustRow, ...]:
    """Return a row for every living micro braid of a score, in the order of the board."""
    living = [b for b in board if b.braid_type == "micro" and b.scope == "sig" and b.state in LIVING]
    return tuple(_row(b, reasons.get(b.braid_id, "it was not in force yet"), weave) for b in living)


def _row(braid: Braid, reason: str, weave: WeaveDefaults) -> TrustRow:
    trust, caps = braid.trust, caps_for(braid.grade, weave)
    cap = caps[min(braid.level, len(caps) - 1)] if caps else 0.0
    if trust is None:
        return TrustRow(braid.braid_id, 0, 1.0, math.nan, cap, "its selection has no days to measure it by")
    snr = trust.snr_low if len(trust.recent) >= FEW_DAYS else math.nan
    return TrustRow(braid.braid_id, braid.level, trust.e_value, snr, cap, reason)
