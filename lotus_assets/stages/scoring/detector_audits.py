"""detector_audits[day]: a stretch of the day's tape scored again, to find who knows the future and who breaks.

The audits are `lotus.detectors.audits`; here they get the day's frames, tables and priors. That the planted column is
caught by every leakage audit blocks (audits that sleep prove nothing); what is found of a detector is told, stands on
its card and in the table as curator inputs for the day after.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from lotus.detectors.audits import adversarial, leakage
from lotus.detectors.audits.sample import AUDITED
from lotus.detectors.audits.table import (
    ADV_FRAGILITY,
    DETECTOR_AUDITS,
    Columns,
    audit_day,
    curator_inputs,
    planted_was_caught,
)
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.registry import specs_ver
from lotus.detectors.scoring.scorer import Scorer
from lotus.detectors.windows.builder import build_windows
from lotus.experts.machine import annotate
from lotus.microtape.frames.batch import FrameBatch
from lotus_assets.stages.chain import content_of
from lotus_assets.stages.context import Cell, CheckOutcome, Made, Stage, StageContext, TextTable
from lotus_assets.stages.day_frames import day_frames
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.history import detectors_of
from lotus_assets.stages.lake_tables import TablePart, joint_hash, present_of
from lotus_assets.stages.schema_check import schema_check
from lotus_assets.stages.scoring.signal_events import priors_of_day
from lotus_store.day_tables import tables_of_day

PARTS = [TablePart(DETECTOR_AUDITS)]


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The day's frames, and its events, which stand for the tables and priors that scored them."""
    return {
        "microtape_frames": content_of(ctx, ctx.tape_branch, day, "microtape_frames"),
        "signal_events": content_of(ctx, ctx.branch, day, "signal_events"),
        "experts": experts_of(ctx, day).version,
        "specs": specs_ver(detectors_of(ctx, day)),
    }


def make(ctx: StageContext, day: str) -> Made:
    """Audit every detector on the day, write the findings, check that the audits were awake."""
    detectors, priors, experts = detectors_of(ctx, day), priors_of_day(ctx, day), experts_of(ctx, day)
    tables = tables_of_day(ctx.lake, ctx.branch, day)

    def score(frames: FrameBatch, under: Sequence[DayTables]) -> list[Columns]:
        windows = build_windows(frames, annotate(frames, experts), ctx.manifest, detectors)
        universe = ctx.manifest.universe
        scorers = (
            Scorer(
                manifest=ctx.manifest,
                universe=universe,
                detectors=detectors,
                tables=one,
                priors=priors,
                branch=ctx.branch,
            )
            for one in under
        )
        return [scorer.feed_all(windows, wanted=AUDITED) for scorer in scorers]

    seed = ctx.manifest.score.seed
    rows = audit_day(day_frames(ctx, day), tables, score, detectors, seed, day)
    written = ctx.lake.write(DETECTOR_AUDITS, ctx.branch, day, rows)
    checks = (schema_check(DETECTOR_AUDITS, rows), awake_check(rows), leakage_check(rows), fragility_check(rows))
    taken = curator_inputs(rows)
    notes: dict[str, Cell] = {
        "vetoed": " ".join(name for name, one in taken.items() if one.leakage_veto),
        "most_fragile": max((one.adv_fragility for one in taken.values()), default=0.0),
        "leakage_share_seen": leakage.share_seen(seed, day, any(tables.leakage_veto)) if taken else 0.0,
    }
    return Made(written.rows, joint_hash(PARTS, [written.content_hash]), checks, notes, _overview(rows))


def awake_check(rows: Columns) -> CheckOutcome:
    """Every leakage audit that looked at the planted column caught it."""
    looked, caught = planted_was_caught(rows)
    text = f"{caught} of {looked} audits caught the planted column" if looked else "the day is too short to audit"
    return CheckOutcome("audits_awake", caught == looked, text, {"looked": looked, "caught": caught})


def leakage_check(rows: Columns) -> CheckOutcome:
    """No detector shows that it knows the future."""
    guilty = (rows["kind"] == "leakage") & ~rows["passed"].astype(np.bool_) & (rows["detector_id"] != leakage.PLANTED)
    leaks = [f"{rows['detector_id'][k]}: {rows['audit'][k]} {rows['value'][k]:.3g}" for k in np.flatnonzero(guilty)]
    return CheckOutcome("leakage", not leaks, "; ".join(leaks) or "no detector knows the future", {"found": len(leaks)})


def fragility_check(rows: Columns) -> CheckOutcome:
    """No detector loses most of its score when the tape is disturbed."""
    shares = rows["audit"] == ADV_FRAGILITY
    broken = np.flatnonzero(shares & ~rows["passed"].astype(np.bool_))
    worst = float(np.max(rows["value"][shares].astype(np.float64), initial=0.0))
    names = ", ".join(str(rows["detector_id"][k]) for k in broken)
    text = f"the most fragile detector changes by {worst:.1%}" + (f"; beyond the bound: {names}" if names else "")
    return CheckOutcome("fragility", not names, text, {"worst": worst, "bound": adversarial.FRAGILITY_BOUND})


def _overview(rows: Columns) -> TextTable:
    """One line per detector: what each leakage audit found, the change of its score under each disturbance."""
    names = [*leakage.AUDITS, *adversarial.NAMES, ADV_FRAGILITY]
    who, what, values = (rows[column].tolist() for column in ("detector_id", "audit", "value"))
    value = {(d, audit): x for d, audit, x in zip(who, what, values, strict=True)}
    who = list(dict.fromkeys(who))
    return TextTable(("detector", *names), [(d, *(value.get((d, name), "") for name in names)) for d in who])


STAGE = Stage("detector_audits", inputs, make, present_of(PARTS))
