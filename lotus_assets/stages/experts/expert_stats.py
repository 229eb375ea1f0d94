"""expert_stats[day]: on a Monday (UTC) the judgement of all experts over the seven days before it; nothing on others.

What comes of it is a set in force from `LAG_DAYS` after the Monday on: its nightly run ends on the day after, and the
state of the day from which it holds is born at 22:00 UTC of that day. A nightly run so late that a daemon may have
begun that day with another set puts it off to the first day that is free. Every Monday with days to judge puts a set in
force, changed or not, so what holds is always the newest judgement.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lotus.detectors.registry import scored_detectors
from lotus.experts.fusion import ExpertSet
from lotus.experts.model import weights_hash
from lotus.experts.weekly.evaluation import Evaluation, ExpertStat, Judge
from lotus.experts.weekly.learned import InForce, learned_of
from lotus.experts.weekly.refit import Curve
from lotus.hashing import natural_id
from lotus.manifest import Manifest
from lotus.timebase import day_start_ms, next_day
from lotus_assets.stages.context import Cell, Made, Stage, StageContext, TextTable
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.experts.expert_training import taken_up
from lotus_assets.stages.experts.judged_days import is_judged, judged_days
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.tape.microtape_frames import read_frames
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.expert_sets import first_free_day, write_expert_set
from lotus_store.ledger.beliefs.expert_stats import runs_below_floor, write_expert_stats

LAG_DAYS = 2


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """On a Monday the annotations of the days judged, experts in force, nets newly trained, the judgement before."""
    if not is_judged(day):
        return {}
    before = [c for c in commits_before(ctx, STAGE.name, day, 7) if is_judged(c.day)]
    nets = {f"net of {name}": weights_hash(layers) for name, layers in taken_up(ctx, day).items()}
    votes = {"votes_needed": "refitted"} if _is_confirmation_required(ctx.manifest) else {}
    found = {**nets, **votes, **hashes(judged_days(ctx, day)), **hashes(before[-1:])}
    return {"experts": experts_of(ctx, day).version, **found}


def make(ctx: StageContext, day: str) -> Made:
    """Judge the experts on a Monday; an empty result on other days."""
    if not is_judged(day):
        return Made(0, natural_id(STAGE.name, "no Monday"), notes={"judged": "on Mondays"})
    present, nets = experts_of(ctx, day), taken_up(ctx, day)
    judge, days = Judge(replace(present, nets={**present.nets, **nets})), judged_days(ctx, day)
    for commit in days:
        judge.add_day(read_frames(ctx, commit.day, warmup=True), day_start_ms(commit.day))
    assets = tuple(asset.name for asset in ctx.manifest.universe)
    runs = runs_below_floor(ctx.sig, ctx.branch, day)
    is_asked = _is_confirmation_required(ctx.manifest)
    evaluation = judge.evaluate(assets, runs, with_votes=is_asked)
    from_day = first_free_day(ctx.sig, ctx.branch, next_day(day, LAG_DAYS))

    def ledger(connection: Connection) -> None:
        write_expert_stats(connection, ctx.branch, day, evaluation.stats, evaluation.experts.version)
        if days:
            write_expert_set(connection, ctx.branch, InForce(from_day, day, learned_of(evaluation.experts)))

    content = natural_id(STAGE.name, evaluation.experts.version, *(repr(s) for s in evaluation.stats))
    notes: dict[str, Cell] = {
        "days": len(days),
        "in_force_from": from_day if days else "",
        **_notes(present, evaluation),
        **({"refit_votes": "none: too few windows"} if is_asked and evaluation.votes is None else {}),
    }
    documents = {
        "reliability_curves": _evidence_curves(evaluation),
        "confidence_curves": _confidence_curves(evaluation),
    }
    return Made(len(evaluation.stats), content, (), notes, _table(evaluation.stats), ledger=ledger, documents=documents)


def _is_confirmation_required(manifest: Manifest) -> bool:
    """Return whether a scored detector asks for mx_confirm: else no number of votes is refitted."""
    return any(spec.require for spec in scored_detectors(manifest))


def _notes(present: ExpertSet, evaluation: Evaluation) -> Mapping[str, Cell]:
    after = evaluation.experts
    off = [name for name, v in after.fusion.voices.items() if v.status == "off"]
    fits = [f.expert_id for f in evaluation.confidence if f.verdict.is_better]
    notes: dict[str, Cell] = {
        "experts_ver": after.version, "changed": after.version != present.version, "off": " ".join(off),
        "confidence_fitted": " ".join(fits),
        "confidence_refused": " ".join(f.expert_id for f in evaluation.confidence if f.expert_id not in fits),
        "nets": " ".join(after.nets),
    }  # fmt: skip
    if evaluation.votes is not None:
        notes |= {"votes_needed": after.fusion.votes_needed, "refit_votes": str(evaluation.votes.verdict)}
    if evaluation.refits is None:
        return {**notes, "refit": f"none: {evaluation.refused}"}
    won = evaluation.refits.winner
    notes["refit"] = f"{won.kind} taken up" if won else "refused: what is in force stays"
    notes["loss_knowing_nothing"] = math.log(2.0)
    return {**notes, **{f"refit_{r.kind}": str(r.verdict) for r in evaluation.refits.proposals}}


def _evidence_curves(evaluation: Evaluation) -> str:
    if evaluation.refits is None:
        return f"No reliability curve: {evaluation.refused}."
    curves = [_curve("Evidence in force", evaluation.refits.curve_in_force)]
    curves += [_curve(f"Proposal {r.kind} ({r.verdict})", r.curve) for r in evaluation.refits.proposals]
    return "\n\n".join(["P(up) on days that no proposal had seen.", *curves])


def _confidence_curves(evaluation: Evaluation) -> str:
    curves = []
    for f in evaluation.confidence:
        curves += [_curve(f"{f.expert_id}, in force", f.curve_in_force)]
        curves += [_curve(f"{f.expert_id}, fitted ({f.verdict})", f.curve)]
    return "\n\n".join(["P(right) on days that no fit had seen.", *curves])


def _curve(title: str, curve: Curve) -> str:
    rows = [f"| {p.said:.3f} | {p.came:.3f} | {p.rows} |" for p in curve]
    return "\n".join([f"**{title}**", "", "| said | came | rows |", "| --- | --- | --- |", *rows])


def _table(stats: Sequence[ExpertStat]) -> TextTable:
    header = ("expert", "calls", "reliability", "low", "high", "below floor", "twin", "weight", "from now", "status")
    rows = [
        (s.expert_id, s.found.calls, s.found.mean, s.found.low, s.found.high, s.run, s.twin, s.weight, s.proposed,
         s.status)
        for s in stats
        if s.asset == ""
    ]  # fmt: skip
    return TextTable(header, rows)


STAGE = Stage("expert_stats", inputs, make)
