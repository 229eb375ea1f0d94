"""active_priors[day]: one new version of the priors, proposed by message and handed over.

The version, its PRIOR_PATCH and the watchdog's alerts are written in one transaction with the commit. Then the Herald
carries the patch and the module applies it; the belief of the next day is what was applied, not what was computed.
Handing over may be repeated at any time; a day whose patch is not in force stops the next day.
"""

import logging
from collections.abc import Mapping

from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus.priors.types import IDENTITY, PriorsVersion
from lotus.timebase import day_start_ms, next_day
from lotus.weave.contraction import held_to
from lotus_assets.stages.chain import content_of, last_committed_day
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.learning.woven import previous_version, weave, woven_inputs
from lotus_herald.keys import Keys
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_modules.priors.weave_notes import tell_alerts
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.late_priors import settle_late
from lotus_store.ledger.beliefs.priors import is_handed_over, put_version
from lotus_store.ledger.messages.boxes import anything_open

logger = logging.getLogger(__name__)

SLACK = 1e-9


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The woven nightly run, and that its braids and compositions are committed."""
    stages = ("braids", "meta_braids")
    return {**woven_inputs(ctx, day), **{stage: content_of(ctx, ctx.branch, day, stage) for stage in stages}}


def make(ctx: StageContext, day: str) -> Made:
    """Leave the new version and its patch to the commit."""
    before, night = previous_version(ctx, day), weave(ctx, day)
    after = night.priors
    keys = Keys(ctx.settings.keys_root)

    def ledger(connection: Connection) -> None:
        put_version(connection, after, day, before)
        propose(connection, after, day, before.priors_ver, keys)
        tell_alerts(connection, ctx.branch, day, night.alerts, after.priors_ver, keys)

    notes: dict[str, Cell] = {
        "priors_ver": after.priors_ver,
        "parent_priors_ver": before.priors_ver,
        "effective_from_ms": after.effective_from_ms,
        "braids": len(after.braids),
        "alerts": len(night.alerts),
    }
    content = natural_id(after.priors_ver, before.priors_ver)
    return Made(
        rows=len(after.braids),
        content_hash=content,
        checks=(movement(ctx, before, after),),
        notes=notes,
        table=_table(before, after),
        ledger=ledger,
    )


def finish(ctx: StageContext, day: str) -> None:
    """Hand the day's version over unless it is in force already; raises `BeliefError` when it is refused.

    A run that was killed when the version was in force may have left its answer on the way: the branch's last day
    carries that too. What comes after a daemon scored windows of its time is put off (`lotus.priors.late`).
    """
    version = weave(ctx, day).priors
    in_force = is_handed_over(ctx.sig, ctx.branch, version.priors_ver)
    on_the_way = day == last_committed_day(ctx) and anything_open(ctx.sig, Module.SIG.value, ctx.branch)
    if not in_force or on_the_way:
        hand_over(ctx.databases, version, Keys(ctx.settings.keys_root), day_start_ms(next_day(day)))
    for late, now in settle_late(ctx.sig, ctx.branch, ctx.manifest.kernel.window_ms):
        logger.warning("priors %s came late: %s from %s", late.priors_ver, now.priors_ver, now.effective_from_ms)


def movement(ctx: StageContext, before: PriorsVersion, after: PriorsVersion) -> CheckOutcome:
    """No nightly run moves a braid's patch by more than the nightly limits.

    A patch that ends goes at once, and so does what a live account or a level that was lost takes back from one. Gates
    may move by the limit a level.
    """
    limits = ctx.manifest.weave
    earlier = {braid.braid_id: braid for braid in before.braids}
    theta, phi, gate, level = 0.0, 0.0, 0.0, 1
    for braid in after.braids:
        was = earlier.get(braid.braid_id)
        old, level = was.patch if was else IDENTITY, max(level, braid.level)
        if was is not None and (limits.account == "live" or braid.level < was.level):
            old = held_to(old, braid.patch)
        theta = max(theta, abs(braid.patch.theta_delta - old.theta_delta))
        ratio = braid.patch.phi_mult / old.phi_mult
        phi = max(phi, ratio - 1.0, 1.0 / ratio - 1.0)
        gate = max(gate, abs(braid.patch.gate - old.gate))
    within = theta <= limits.night_theta + SLACK and phi <= limits.night_phi + SLACK
    text = f"largest move of a patch: theta {theta:.4f}, phi {phi:.4f}, gate {gate:.4f}"
    passed = within and gate <= level * limits.night_gate + SLACK
    return CheckOutcome("movement", passed, text, {"theta": theta, "phi": phi, "gate": gate})


def _table(before: PriorsVersion, after: PriorsVersion) -> TextTable:
    old, new = ({b.braid_id: b for b in version.braids} for version in (before, after))
    rows = []
    for name in sorted(old | new):
        braid = new.get(name) or old[name]
        change = "added" if name not in old else "removed" if name not in new else "kept"
        moved = braid.patch.theta_delta, braid.patch.phi_mult, braid.patch.gate, braid.level
        rows.append((braid.detector_id, name, change, *moved))
    return TextTable(("detector", "braid", "change", "theta delta", "phi", "gate, logit", "level"), rows)


STAGE = Stage("active_priors", inputs, make, finish=finish)
