"""Who is given compute from a Monday on: costs measured once, votes lost, who of the bench is computed, the acts.

Off (no quota, no credit of votes, another branch than main) it reads and writes nothing. Costs are written in a
transaction of their own before anything rests on them, so a Monday that was killed and is run again finds the same.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date

import numpy as np

from lotus.curation.act import ALLOCATOR, OF_EXPERTS, CurationAct, CurationKind
from lotus.curation.in_force import expert_states
from lotus.curation.law import LAG_DAYS
from lotus.experts.fusion import ExpertSet
from lotus.experts.weekly.learned import set_under
from lotus.governance.bench import EXPERT, ComputeBench, acts_of, bench_of
from lotus.governance.credit.credit_summary import ALL, WEEKS, ExpertCredit, credits_of, keepers
from lotus.governance.credit.expert_credit import EXPERT_CREDIT, Rows, daily, joined
from lotus.governance.expert_cost import ExpertCost
from lotus.hashing import natural_id
from lotus.monitoring.sketch_table import DAY_SKETCHES, DIVERSITY
from lotus.timebase import next_day
from lotus_assets.stages.context import Cell, StageContext, TextTable
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.experts.judged_days import DAYS, is_judged
from lotus_assets.stages.governance.credit_week import credited_days
from lotus_assets.stages.governance.expert_costs import measured_costs
from lotus_assets.stages.governance.week_part import PartMade, WeekPart
from lotus_assets.stages.history import commits_before, hashes
from lotus_assets.stages.scoring.signal_eval import read_events
from lotus_store.databases import Connection
from lotus_store.ledger.beliefs.acts import acts_of_night, acts_on, put_acts
from lotus_store.ledger.beliefs.compute import (
    ComputeAllocation,
    allocations_before,
    costs_on,
    write_allocations,
    write_costs,
)
from lotus_store.ledger.beliefs.expert_sets import expert_set_on, first_free_day

MAIN = "main"
FEATURES = ("one", "hbar", "entrain", "gap", "support")
OFF = PartMade(0, natural_id("compute", "off"))


def is_on(ctx: StageContext) -> bool:
    """Return whether anything is allocated: on `main` alone."""
    compute = ctx.settings.compute
    return ctx.branch == MAIN and (compute.live_ns_per_frame > 0.0 or compute.credit_votes)


def inputs(ctx: StageContext, day: str) -> Mapping[str, str]:
    """The settings, the judgement of the experts, the weeks of credit and the allocations before; nothing when off."""
    if not is_on(ctx):
        return {"settings": "off"}
    compute = ctx.settings.compute
    earlier = allocations_before(ctx.sig, ctx.branch, day)
    return {
        "settings": natural_id(compute.live_ns_per_frame, str(compute.credit_votes)),
        "experts": _judged(ctx, day)[1].version,
        "earlier": natural_id(*(repr(one) for one in earlier)),
        **hashes([c for c in commits_before(ctx, "governance_week", day, DAYS * WEEKS) if is_judged(c.day)]),
    }


def make(ctx: StageContext, day: str, before: Mapping[str, PartMade]) -> PartMade:
    """Draw the bench, leave allocation and acts to the commit."""
    if not is_on(ctx):
        return OFF
    from_day, experts = _judged(ctx, day)
    costs = {one.expert_id: one.cost_ns for one in _costs(ctx, day, experts)}
    days = [commit.day for commit in credited_days(ctx, day)]
    rows = ctx.lake.read(EXPERT_CREDIT.name, ctx.branch, day)
    worth = {c.expert_id: c for c in credits_of(rows, days) if c.detector_id == c.asset == ALL}
    voices = experts.fusion.voices
    voters = {name: _value(worth, name) for name, v in voices.items() if v.status == "active"}
    context = _context(ctx, days, rows)
    seen = [(a.arm, list(a.context.values()), a.reward) for a in allocations_before(ctx.sig, ctx.branch, day)
            if a.kind == EXPERT and a.reward is not None]  # fmt: skip
    rewards = _rewards(ctx, rows, days, [name for name in voices if name not in voters])
    seen += [(name, list(context.values()), reward) for name, reward in rewards.items()]
    quota = ctx.settings.compute.live_ns_per_frame
    bench = bench_of(
        voters, [name for name in voices if name not in voters], costs, quota, seen, list(context.values()),
        _kept(ctx, day, rows, days), (ctx.branch, day, str(ctx.manifest.score.seed)),
    )  # fmt: skip
    acts = acts_of(bench, ctx.branch, day, from_day, experts.names) if days else []
    allocations = _allocations(bench, day, from_day, costs, context, rewards)
    gone = _gone(acts_of_night(ctx.sig, ctx.branch, day), acts, from_day)

    def ledger(connection: Connection) -> None:
        write_allocations(connection, ctx.branch, day, allocations)
        put_acts(connection, [*acts, *gone])

    decided = natural_id(*(f"{a.arm} {a.drawn} {a.q!r}" for a in allocations), *(act.act_id for act in acts))
    idle = [act.target for act in acts if act.kind == CurationKind.IDLE]
    notes: dict[str, Cell] = {
        "quota_ns": quota, "bench": len(bench.arms), "idle": " ".join(idle), "lost_vote": " ".join(bench.demoted),
        "from_day": from_day,
    }  # fmt: skip
    return PartMade(len(allocations), decided, notes=notes, table=_table(allocations), ledger=ledger)


def _judged(ctx: StageContext, day: str) -> tuple[str, ExpertSet]:
    """Return the first day in force, and its experts as judged and as earlier nights' acts leave them, none idle."""
    from_day = first_free_day(ctx.sig, ctx.branch, next_day(day, LAG_DAYS))
    acts = [act for act in acts_on(ctx.sig, ctx.branch, from_day) if act.day < day]
    states = {name: kinds - {str(CurationKind.IDLE)} for name, kinds in expert_states(acts, from_day).items()}
    return from_day, set_under(expert_set_on(ctx.sig, ctx.branch, from_day), states)


def _costs(ctx: StageContext, day: str, experts: ExpertSet) -> list[ExpertCost]:
    found = costs_on(ctx.sig, ctx.branch, day)
    if not found:
        with ctx.sig.transaction():
            write_costs(ctx.sig, ctx.branch, day, measured_costs(experts, ctx.manifest))
        found = costs_on(ctx.sig, ctx.branch, day)
    return found


def _value(worth: Mapping[str, ExpertCredit], name: str) -> float:
    one = worth.get(name)
    return 0.0 if one is None else one.delta_value if one.pooled is None else one.pooled


def _context(ctx: StageContext, days: Sequence[str], rows: Rows) -> dict[str, float]:
    """Return the features of a week: surprise, entrainment, diversity gap, support; 0 where nothing is there."""
    if not days:
        return {"one": 1.0, **dict.fromkeys(FEATURES[1:], 0.0)}
    events = read_events(ctx, days[-1], ("kr_hbar", "entrain"))
    gap = float("nan")
    if ctx.lake.exists(DAY_SKETCHES.name, ctx.branch, days[-1]):
        sketches = ctx.lake.read(DAY_SKETCHES.name, ctx.branch, days[-1], columns=("family", "series", "number"))
        at = np.flatnonzero((sketches["family"] == DIVERSITY) & (sketches["series"] == "gap"))
        gap = float(sketches["number"][at[0]]) if len(at) else gap
    found = (1.0, _mean(events["kr_hbar"]), _mean(events["entrain"]), gap, float(np.log1p(len(rows["windows"]))) / 10.0)
    return {name: round(0.0 if x != x else x, 9) for name, x in zip(FEATURES, found, strict=True)}


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values.astype(np.float64))].astype(np.float64)
    return float(finite.mean()) if len(finite) else 0.0


def _rewards(ctx: StageContext, rows: Rows, days: Sequence[str], off: Collection[str]) -> dict[str, float]:
    """Return what unmasking would have given, bps a day, of those off, on days on which they spoke."""
    spoke = [set(experts_of(ctx, d).names) - set(experts_of(ctx, d).idle) for d in days]
    values = daily(rows, days, ("expert_id",))
    out = {}
    for name in sorted(off):
        computed = [k for k in range(len(days)) if name in spoke[k]]
        if computed and (name,) in values:
            out[name] = round(float(values[(name,)][computed].mean()), 9)
    return out


def _kept(ctx: StageContext, day: str, rows: Rows, days: Sequence[str]) -> frozenset[str] | None:
    """Return who keeps the vote by four weeks of credit; None where nobody asks: on three of four Mondays."""
    if not ctx.settings.compute.credit_votes or (date.fromisoformat(day).toordinal() // DAYS) % WEEKS:
        return None
    mondays = [next_day(day, -DAYS * k) for k in range(1, WEEKS)]
    past = [d for d in mondays if ctx.lake.exists(EXPERT_CREDIT.name, ctx.branch, d)]
    seen = [d for monday in past for d in [c.day for c in credited_days(ctx, monday)]]
    if len(past) < WEEKS - 1:
        return None
    whole = joined([ctx.lake.read(EXPERT_CREDIT.name, ctx.branch, d) for d in past] + [dict(rows)])
    return keepers(whole, sorted({*seen, *days}))


def _allocations(
    bench: ComputeBench, day: str, from_day: str, cost: Mapping[str, float], context: dict[str, float],
    rewards: Mapping[str, float],
) -> list[ComputeAllocation]:  # fmt: skip
    return [
        ComputeAllocation(
            day, EXPERT, arm, round(float(q), 12), bool(drawn), cost.get(arm), max(bench.quota, 0.0), context,
            rewards.get(arm), from_day,
        )
        for arm, q, drawn in zip(bench.arms, bench.draw.q.tolist(), bench.draw.drawn.tolist(), strict=True)
    ]  # fmt: skip


def _gone(earlier: Sequence[CurationAct], acts: Sequence[CurationAct], from_day: str) -> list[CurationAct]:
    """Return lifts of what this night had decided before and does not decide again."""
    now = {act.act_id for act in acts}
    ended = {act.revokes for act in earlier if act.kind == CurationKind.LIFT}
    return [
        CurationAct("", act.branch, act.day, ALLOCATOR, CurationKind.LIFT, act.target, 0.0, "decided again",
                    act.evidence_ref, from_day, next_day(from_day), act.act_id).named()
        for act in earlier
        if act.kind in OF_EXPERTS and act.act_id not in now | ended and from_day < act.until_day
    ]  # fmt: skip


def _table(rows: Sequence[ComputeAllocation]) -> TextTable:
    nan = float("nan")
    shown = [(a.arm, a.q, "computed" if a.drawn else "idle", nan if a.cost is None else a.cost,
              nan if a.reward is None else a.reward) for a in rows]  # fmt: skip
    return TextTable(("expert", "q", "state", "cost, ns a frame", "reward, bps a day"), shown)


PART = WeekPart("compute", inputs, make)
