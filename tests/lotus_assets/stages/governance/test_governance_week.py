"""A governance week: credit of experts on the blocks drawn, once, the same again; nothing on other days."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lotus.experts.fusion import default_experts
from lotus.experts.weekly.learned import InForce, LearnedSettings
from lotus.governance.credit.expert_credit import EXPERT_CREDIT
from lotus.governance.credit.sampled_block import drawn_block
from lotus.governance.expert_cost import ExpertCost
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.experts import expert_set
from lotus_assets.stages.experts.expert_set import experts_of
from lotus_assets.stages.governance import compute_week, governance_week
from lotus_assets.stages.runner import run_stage, stands
from lotus_assets.stages.scoring import signal_eval, signal_events
from lotus_assets.stages.tape import dsi_annotations, microtape_frames, raw_tape
from lotus_resources.recent_values import RecentValues
from lotus_store.ledger.beliefs.acts import acts_of_night
from lotus_store.ledger.beliefs.compute import allocations_before, costs_on, write_costs
from lotus_store.ledger.beliefs.expert_credit import credit_on, newest_credit
from lotus_store.ledger.beliefs.expert_sets import write_expert_set
from lotus_store.settings.sections import ComputeSettings

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("whole days through their stages")]
MONDAY = "2026-01-12"
STAGES = (
    raw_tape.STAGE, microtape_frames.STAGE, dsi_annotations.STAGE, expert_set.STAGE, signal_events.STAGE,
    signal_eval.STAGE,
)  # fmt: skip


@pytest.fixture
def scored(ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch) -> StageContext:
    """The first day scored, its windows in the block that is drawn."""
    for stage in STAGES:
        assert not run_stage(ctx, stage, days[0]).failed_checks
    monkeypatch.setattr("lotus_assets.stages.governance.credit_week.drawn_block", lambda branch, day: 1)
    return ctx


def test_a_week_credits_every_expert_in_every_cell_and_twice_the_same(scored: StageContext, days: list[str]) -> None:
    ctx, names = scored, default_experts().names
    made = run_stage(ctx, governance_week.STAGE, MONDAY)
    assert not made.failed_checks
    rows = pd.DataFrame(ctx.lake.read("expert_credit", ctx.branch, MONDAY, spec=EXPERT_CREDIT))
    assert set(rows.expert_id) == set(names)
    assert rows.votes.all()
    cells = rows.groupby(["detector_id", "asset"])
    assert len(rows) == len(cells) * len(names) > 0
    assert (cells.windows.nunique() == 1).all()
    paid = pd.DataFrame(ctx.lake.read("signal_eval", ctx.branch, days[0]))
    events = pd.DataFrame(ctx.lake.read("signal_events", ctx.branch, days[0], columns=("event_id", "pi", "veto")))
    due = paid.merge(events, on="event_id")
    due = due[(due.status == "ok") & due.payoff_p.notna() & ((due.pi > 0) | (due.veto == 512))]
    morning = due[due.window_end_ms % 86_400_000 < 11.5 * 3_600_000]  # of the tiny horizon, block 1
    assert cells.windows.first().sum() == len(morning) > 30
    assert (rows.value_bps != 0).any()
    credit = credit_on(ctx.sig, ctx.branch, MONDAY)
    whole = {c.expert_id: c for c in credit if c.detector_id == c.asset == ""}
    for name in names:
        own = rows[rows.expert_id == name]
        assert whole[name].delta_value == pytest.approx(4 * own.value_bps.sum(), rel=1e-6, abs=1e-9)
        assert (whole[name].low, whole[name].days) == (None, 1)
    again = run_stage(replace(ctx, force=True), governance_week.STAGE, MONDAY)
    assert (again.content_hash, credit_on(ctx.sig, ctx.branch, MONDAY)) == (made.content_hash, credit)
    assert stands(ctx, governance_week.STAGE, MONDAY)
    assert newest_credit(ctx.sig, ctx.branch, "2026-01-20") == credit
    assert newest_credit(ctx.sig, ctx.branch, "2026-01-11") == []
    shown = ctx.sig.execute("SELECT count(*), max(n) FROM v_dsi_contrib").fetchone()
    assert shown == (len(names) * rows.detector_id.nunique(), 1)
    assert ctx.sig.execute("SELECT count(*) FROM v_dsi_expert_stats").fetchone() == (len(names),)


def test_a_lost_file_is_made_again_and_a_killed_commit_leaves_nothing(
    scored: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = scored
    with monkeypatch.context() as patch:
        patch.setattr("lotus_assets.stages.runner.commit_day", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run_stage(ctx, governance_week.STAGE, MONDAY)
    assert credit_on(ctx.sig, ctx.branch, MONDAY) == []
    made = run_stage(ctx, governance_week.STAGE, MONDAY)
    Path(ctx.lake.path("expert_credit", ctx.branch, MONDAY)).unlink()
    assert not stands(ctx, governance_week.STAGE, MONDAY)
    again = run_stage(ctx, governance_week.STAGE, MONDAY)
    assert again.content_hash == made.content_hash


def test_other_days_decide_nothing(ctx: StageContext) -> None:
    made = run_stage(ctx, governance_week.STAGE, "2026-01-13")
    assert (made.rows, made.notes) == (0, {"decided": "on Mondays"})
    assert stands(ctx, governance_week.STAGE, "2026-01-13")
    empty = run_stage(ctx, governance_week.STAGE, MONDAY)
    assert (empty.notes["credit rows"], credit_on(ctx.sig, ctx.branch, MONDAY)) == (0, [])


def test_blocks_are_drawn_by_branch_and_day_and_evenly() -> None:
    drawn = [drawn_block("main", f"day {k}") for k in range(2000)]
    assert drawn == [drawn_block("main", f"day {k}") for k in range(2000)]
    assert np.bincount(drawn, minlength=4).min() > 440
    assert drawn != [drawn_block("other", f"day {k}") for k in range(2000)]


def test_a_quota_leaves_some_of_the_bench_idle_once_and_scoring_hears_of_it(
    scored: StageContext, days: list[str]
) -> None:
    bench = ("rare_book", "macd_divergence", "flow_anomaly", "squeeze")
    learned = LearnedSettings(default_experts().version, off=bench)
    write_expert_set(scored.sig, "main", InForce("2026-01-14", MONDAY, learned))
    costs = dict.fromkeys(default_experts().names, 100.0)
    quota = 100.0 * (len(costs) - len(bench)) + 150.0
    ctx = replace(scored, settings=replace(scored.settings, compute=ComputeSettings(live_ns_per_frame=quota)))
    with scored.sig.transaction():
        rows = [ExpertCost(name, "spec", 1, cost, cost, cost, cost, 31) for name, cost in costs.items()]
        write_costs(scored.sig, "main", MONDAY, rows)
    made = run_stage(ctx, governance_week.STAGE, MONDAY)
    told = allocations_before(ctx.sig, "main")
    assert [a.arm for a in told] == sorted(bench)
    assert sum(a.cost or 0.0 for a in told if a.drawn) <= 150.0
    assert all(a.reward is not None for a in told), "all of the bench spoke in the week"
    idle = {a.arm for a in told if not a.drawn}
    assert len(idle) >= 3
    assert set(experts_of(ctx, "2026-01-14").idle) == idle == set(experts_of(ctx, "2026-01-20").idle)
    assert experts_of(ctx, "2026-01-13") is default_experts()
    assert experts_of(ctx, "2026-01-21").idle == ()
    acts = acts_of_night(ctx.sig, "main", MONDAY)
    again = run_stage(replace(ctx, force=True, recent=RecentValues()), governance_week.STAGE, MONDAY)
    assert again.content_hash == made.content_hash
    assert (allocations_before(ctx.sig, "main"), acts_of_night(ctx.sig, "main", MONDAY)) == (told, acts)
    other = replace(ctx, settings=replace(ctx.settings, branch="other"))
    assert not compute_week.is_on(other)
    off = run_stage(scored, governance_week.STAGE, MONDAY)
    assert off.content_hash != made.content_hash


def test_costs_are_measured_once(scored: StageContext) -> None:
    ctx = replace(scored, settings=replace(scored.settings, compute=ComputeSettings(live_ns_per_frame=1e9)))
    run_stage(ctx, governance_week.STAGE, MONDAY)
    costs = costs_on(ctx.sig, "main", MONDAY)
    assert [c.expert_id for c in costs] == sorted(default_experts().names)
    assert all(0.0 <= c.marginal_ns <= c.cost_ns + 1e-9 and c.latency_p50_ns <= c.latency_p95_ns for c in costs)
    assert {c.nodes > 3 for c in costs} == {True}
    run_stage(replace(ctx, force=True, recent=RecentValues()), governance_week.STAGE, MONDAY)
    assert costs_on(ctx.sig, "main", MONDAY) == costs
