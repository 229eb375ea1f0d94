"""The ladder's part of a governance week: detector versions on their rungs, by what was committed before the Monday."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lotus.curation.value import over_days
from lotus.detectors.cards.card_table import DETECTOR_CARDS
from lotus.detectors.spec import DetectorSpec
from lotus.governance.ladder import LadderStanding, LadderStep, Rung, step_of
from lotus.governance.ladder_table import LADDER_STEPS, standing_of, step_rows
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance.week_part import PartMade, WeekPart
from lotus_assets.stages.history import audited_before, commits_before, detectors_of, hashes
from lotus_assets.stages.lake_tables import LakeTable, TablePart
from lotus_store.ledger.day_commits import DayCommit

YEAR, LOOK = 365, 20
_READ = ("detector_id", "spec_version", "published", "payoff_p", "payoff_y", "p")


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """Scores of the last days, cards, and the Monday before."""
    last = past_monday(ctx, day)
    return {
        **hashes(commits_before(ctx, "payoff_scores", day, LOOK)),
        **hashes(commits_before(ctx, DETECTOR_CARDS.name, day, 1)),
        "monday before": ctx.lake.hash_of(LADDER_STEPS.name, ctx.branch, last) if last else "",
    }


def make(ctx: StageContext, day: str, before: Mapping[str, PartMade]) -> PartMade:
    """Judge every detector version and write where it stands."""
    steps, entered = ladder(ctx, day)
    rows = step_rows(steps, entered, day)
    written = ctx.lake.write(LADDER_STEPS, ctx.branch, day, rows)
    moved = [step.name for _, step in steps if step.to is not step.rung]
    return PartMade(len(steps), "", (written.content_hash,), notes={"moved": " ".join(moved), "subjects": len(steps)})


def past_monday(ctx: StageContext, day: str) -> str:
    """Return the newest day before with steps, "" without."""
    return max((d for d in ctx.lake.days(LADDER_STEPS.name, ctx.branch) if d < day), default="")


def ladder(ctx: StageContext, day: str) -> tuple[list[tuple[LadderStanding, LadderStep]], dict[str, str]]:
    """Return each version with its step as of a day, and when it entered its rung; nothing is written."""
    last = past_monday(ctx, day)
    stood = standing_of(ctx.lake.read(LADDER_STEPS.name, ctx.branch, last)) if last else {}
    stages = _stages(ctx, day)
    detectors = detectors_of(ctx, day)
    audits = audited_before(ctx, day, detectors)
    days = commits_before(ctx, "payoff_scores", day, YEAR)
    paid = {commit.day: _payoffs(ctx, commit, detectors) for commit in days}
    is_equal = _parity(ctx, day)
    entered, many = dict[str, str](), list[LadderStanding]()
    for spec in detectors:
        name, active = f"{spec.detector_id} v{spec.version}", stages.get((spec.detector_id, spec.version)) == "active"
        start = Rung.PAPER if active else Rung.OFFLINE
        rung, entered[name] = stood.get(name, (start, days[0].day if days else day))
        own = {d: found for d, by in paid.items() if (found := by.get((spec.detector_id, spec.version))) is not None}
        since = [executed for d, (executed, _) in own.items() if d >= entered[name] and executed == executed]
        low = over_days([modelled for _, modelled in list(own.values())[-LOOK:]]).low
        audit = audits.get(spec.detector_id)
        many.append(
            LadderStanding(
                "detector", name, rung, conforms=True, audits=audit is not None and not audit.leakage_veto,
                cost_in_quota=True, modelled_low_bps=low, learning_days=sum(d >= entered[name] for d in own),
                parity=is_equal, value_low_bps=low, lifecycle_active=active, payoffs_bps=tuple(since),
            )
        )  # fmt: skip
    counts = {rung: max(1, sum(one.rung is rung for one in many)) for rung in Rung}

    placed = [replace(one, on_rung=counts[one.rung]) for one in many]
    return [(one, step_of(one)) for one in placed], entered


def _stages(ctx: StageContext, day: str) -> dict[tuple[str, int], str]:
    cards = commits_before(ctx, DETECTOR_CARDS.name, day, 1)
    if not cards:
        return {}
    rows = ctx.lake.read(
        DETECTOR_CARDS.name, ctx.branch, cards[0].day, columns=("detector_id", "spec_version", "stage")
    )
    values = zip(*(rows[name].tolist() for name in ("detector_id", "spec_version", "stage")), strict=True)
    return {(name, version): stage for name, version, stage in values}


def _payoffs(
    ctx: StageContext, commit: DayCommit, detectors: Sequence[DetectorSpec]
) -> dict[tuple[str, int], tuple[float, float]]:
    """Return the mean executed payoff of a day's published windows, NaN without, and the modelled sum weighed by p."""
    rows: LakeTable = ctx.lake.read("payoff_scores", ctx.branch, commit.day, columns=_READ)
    version, published = rows["spec_version"].astype(np.int64), rows["published"].astype(np.bool_)
    paper, executed, p = (rows[name].astype(np.float64) for name in ("payoff_p", "payoff_y", "p"))
    out = dict[tuple[str, int], tuple[float, float]]()
    for spec in detectors:
        own = (rows["detector_id"] == spec.detector_id) & (version == spec.version)
        if own.any():
            taken = executed[own & published & np.isfinite(executed)]
            modelled = float(np.nan_to_num(p[own] * paper[own]).sum())
            out[spec.detector_id, spec.version] = float(taken.mean()) if len(taken) else float("nan"), modelled
    return out


def _parity(ctx: StageContext, day: str) -> bool:
    """Tell whether no committed day of the last seven failed its comparison with the daemon's log."""
    commits = commits_before(ctx, "signal_events", day, 7)
    checks = [check for commit in commits for check in commit.notes.get("checks", ())]
    return all(check["passed"] for check in checks if check["name"] in ("parity", "live_parity"))


PART = WeekPart("ladder", inputs, make, (TablePart(LADDER_STEPS),))
