"""expert_stats[day]: on a Monday (UTC) the judgement of all experts over the seven days before it; nothing on others.

The weights and calibration that it proposes are stored with their version and are not in force: what scores is the
fusion that ships with the package, so every day's numbers are frozen before it begins.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from lotus.experts.evaluation import Evaluation, ExpertStat, Judge
from lotus.experts.fusion import default_experts
from lotus.hashing import natural_id
from lotus.timebase import day_start_ms
from lotus_assets.stages.context import Cell, Made, Stage, StageContext, Table
from lotus_assets.stages.dsi_annotations import read_annotations
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.microtape_frames import read_frames
from lotus_store.databases import Connection
from lotus_store.ledger.day_commits import DayCommit, read_commits
from lotus_store.ledger.expert_stats import runs_below_floor, write_expert_stats

DAYS = 7


def is_judged(day: str) -> bool:
    """Return whether a day is a Monday."""
    return date.fromisoformat(day).weekday() == 0


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """On a Monday the annotations of the days judged, the experts, and the judgement before."""
    if not is_judged(day):
        return {}
    before = [c for c in commits_before(ctx, STAGE.name, day, DAYS) if is_judged(c.day)]
    return {"experts": default_experts().version, **hashes(judged_days(ctx, day)), **hashes(before[-1:])}


def make(ctx: StageContext, day: str) -> Made:
    """Judge the experts on a Monday; an empty result on other days."""
    if not is_judged(day):
        return Made(0, natural_id(STAGE.name, "no Monday"), notes={"judged": "on Mondays"})
    experts = default_experts()
    judge, days = Judge(experts), judged_days(ctx, day)
    for commit in days:
        frames = read_frames(ctx, commit.day, warmup=True)
        judge.add_day(frames, read_annotations(ctx, commit.day, frames).windows, day_start_ms(commit.day))
    assets = tuple(asset.name for asset in ctx.manifest.universe)
    found = judge.evaluate(assets, runs_below_floor(ctx.sig, ctx.branch, day))
    proposal = natural_id("proposal", *(f"{s.expert_id} {s.proposed!r} {s.status}" for s in found.stats), _knots(found))

    def ledger(connection: Connection) -> None:
        write_expert_stats(connection, ctx.branch, day, found.stats, proposal)

    content = natural_id(STAGE.name, proposal, *(repr(s) for s in found.stats))
    notes: dict[str, Cell] = {"days": len(days), "proposal": proposal, "in_force": "no: stored as a proposal"}
    notes |= _refit_notes(found)
    documents = {"reliability_curve": _curve(found)} if found.refit is not None else {}
    return Made(len(found.stats), content, (), notes, _table(found.stats), ledger=ledger, documents=documents)


def judged_days(ctx: StageContext, day: str) -> list[DayCommit]:
    """Return the annotated days of the seven before `day`, oldest first."""
    first = (date.fromisoformat(day) - timedelta(days=DAYS)).isoformat()
    return [c for c in read_commits(ctx.sig, ctx.tape_branch, "dsi_annotations") if first <= c.day < day]


def _knots(found: Evaluation) -> str:
    return found.refit.version if found.refit is not None and found.refit.is_better else "none"


def _refit_notes(found: Evaluation) -> Mapping[str, Cell]:
    if found.refit is None:
        return {"refit": f"none: {found.refused}"}
    r = found.refit
    verdict = "better on unseen days" if r.is_better else "not better on unseen days: present weights stay"
    return {"refit": verdict, "loss_unseen": r.loss, "loss_in_force": r.loss_in_force, "rows_unseen": r.rows[2]}


def _curve(found: Evaluation) -> str:
    assert found.refit is not None
    lines = [f"| {p.said:.3f} | {p.came:.3f} | {p.rows} |" for p in found.refit.curve]
    head = "Proposed evidence on days that neither weights nor calibration had seen.\n\n| said | came | rows |"
    return "\n".join([head, "| --- | --- | --- |", *lines])


def _table(stats: Sequence[ExpertStat]) -> Table:
    header = ("expert", "calls", "reliability", "low", "high", "below floor", "twin", "weight", "proposed", "status")
    rows = [
        (s.expert_id, s.found.calls, s.found.mean, s.found.low, s.found.high, s.run, s.twin, s.weight, s.proposed,
         s.status)
        for s in stats
        if s.asset == ""
    ]  # fmt: skip
    return Table(header, rows)


STAGE = Stage("expert_stats", inputs, make)
