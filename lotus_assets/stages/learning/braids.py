"""braids[day]: the braid registry after the nightly run, as rows of an append-only history."""

from collections.abc import Mapping

from lotus.hashing import natural_id
from lotus.priors.segment_context import rule_words
from lotus.priors.trace import describe_braid
from lotus.priors.types import EXPLORATION, MAX_GATE, Patch
from lotus.priors.vocabulary import Vocabulary
from lotus.weave.braid import Braid, named_by
from lotus.weave.night import WovenNight
from lotus_assets.stages.context import CheckOutcome, Made, Plot, Stage, StageContext, TextTable
from lotus_assets.stages.learning.woven import weave, woven_inputs
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.braids import read_monitors, write_night
from lotus_store.ledger.beliefs.lessons import RUN, RUN_OF_LESSONS, read_experiments, write_experiments
from lotus_store.ledger.beliefs.reviews import KIND as REVIEW
from lotus_store.ledger.beliefs.trust import write_trust
from lotus_store.ledger.bodies import to_body

EXPERIMENT = "experiment"  # kind of the rows of experiments that ran or ended, and of proposals not taken up
OVERLAP = "overlap"  # kind of the rows of the weekly conflict map, one per pair of rules in force of a detector
SLACK = 1e-9
MAX_LINES = 8  # braids in the picture


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Lessons, the day's events, braid registry and version of the day before."""
    return woven_inputs(ctx, day)


def make(ctx: StageContext, day: str) -> Made:
    """Weave, and leave the nightly run's changes to the commit."""
    night = weave(ctx, day)

    def ledger(connection: Connection) -> None:
        run = read_experiments(connection, ctx.branch, day, RUN)[RUN_OF_LESSONS]
        write_night(connection, ctx.branch, day, night.braids, night.events, str(run["fixtures_hash"]))
        write_trust(connection, ctx.branch, day, night.trust)
        write_experiments(connection, ctx.branch, day, REVIEW, {o.act.act_id: o for o in night.acts})
        tried = {x.braid_id or x.lesson_id: x for x in night.experiments}
        write_experiments(connection, ctx.branch, day, EXPERIMENT, tried)
        write_experiments(connection, ctx.branch, day, OVERLAP, {f"{o.first} {o.second}": o for o in night.overlaps})

    content = natural_id(to_body(named_by(night.braids)), to_body(list(night.events)))
    notes = {
        "board": len(night.braids),
        "in_force": sum(braid.in_force for braid in night.braids),
        "changes": len(night.events),
        "levels": sum(braid.level for braid in night.braids),
        "reverted": sum(alert.kind == "reverted" for alert in night.alerts),
        "warnings": sum(b.in_force and b.monitor is not None and b.monitor.warning for b in night.braids),
    }
    check, table = bounded(ctx, night.braids), _table(night.braids, rule_words(ctx.manifest))
    lines = _life_lines(ctx, day, night.braids)
    return Made(
        rows=len(night.events),
        content_hash=content,
        checks=(check,),
        notes=notes,
        table=table,
        plot=lines,
        ledger=ledger,
        documents=_documents(night),
    )


def bounded(ctx: StageContext, braids: tuple[Braid, ...]) -> CheckOutcome:
    """Every patch lies within the bounds of one braid, and none acts without grade A or B but in an experiment.

    That one moves no score, and raises the floor of the propensity within its own bound.
    """
    weave_limits = ctx.manifest.weave
    wide, ungraded = 0, 0
    for braid in braids:
        top = weave_limits.phi_step**braid.cap_mult + SLACK
        within = abs(braid.patch.theta_delta) <= weave_limits.theta_step * braid.cap_mult + SLACK
        earned = abs(braid.patch.gate) <= (MAX_GATE if braid.level else 0.0)
        inside = within and earned and 1.0 / top <= braid.patch.phi_mult <= top
        wide += not inside
        if braid.experiment is not None:
            wide += braid.patch != Patch(knobs=braid.patch.knobs) or not _modest(ctx, braid)
        else:
            ungraded += braid.in_force and braid.grade not in ("A", "B")
    text = f"{len(braids)} braids; {wide} outside the bounds, {ungraded} acting without grade A or B"
    return CheckOutcome("bounded", wide + ungraded == 0, text, {"wide": wide, "ungraded": ungraded})


def _modest(ctx: StageContext, braid: Braid) -> bool:
    most = ctx.manifest.weave.experiment_floor / ctx.manifest.score.epsilon
    return all(knob.key == EXPLORATION and 1.0 <= knob.mult <= most + SLACK for knob in braid.patch.knobs)


def _life_lines(ctx: StageContext, day: str, braids: tuple[Braid, ...]) -> Plot:
    """Return the e-process of every braid in force over its active days: 1 = nothing seen, 20 = reverted."""
    acting = [b for b in braids if b.in_force and b.monitor is not None]
    before = read_monitors(ctx.sig, ctx.branch, day, [b.braid_id for b in acting])
    series = {
        f"{b.braid_id[:8]} {b.detector_id}: {describe_braid(b.active(), rule_words(ctx.manifest))}": [
            *(m.e_value for m in before[b.braid_id]),
            b.e_value,
        ]
        for b in acting[:MAX_LINES]
    }
    return Plot("Evidence that a lesson is dead, by nightly run (20 reverts)", series)


def _documents(night: WovenNight) -> dict[str, str]:
    """Return the weekly conflict map as Markdown; nothing on other days."""
    if not night.overlaps:
        return {}
    head = "| detector | braid | braid | Jaccard overlap |\n| --- | --- | --- | --- |"
    lines = [f"| {o.detector_id} | {o.first} | {o.second} | {o.jaccard:.3f} |" for o in night.overlaps]
    return {"conflict_map": "\n".join([head, *lines])}


def _table(braids: tuple[Braid, ...], words: Vocabulary) -> TextTable:
    rows = [
        (
            b.detector_id,
            describe_braid(b.active(), words),
            b.state,
            b.claim_bps,
            b.patch.theta_delta,
            b.patch.phi_mult,
            b.patch.gate,
            b.level,
            b.delta_realised[1],
            b.e_value,
            b.monitor.warning_t if b.monitor else 0.0,
            b.quality.bqs,
        )
        for b in braids
    ]
    head = (
        "detector",
        "rule",
        "state",
        "claim, bps",
        "theta delta",
        "phi",
        "gate, logit",
        "level",
        "realised tilt, logit",
        "e-process (20 reverts)",
        "t of the shortfall, 20 days",
        "quality",
    )
    return TextTable(head, rows)


STAGE = Stage("braids", inputs, make)
