"""The credit of beliefs on a Monday: of a braid in force on the day that was sampled; twice the same."""

from dataclasses import replace

import pytest

from lotus.priors.types import ActiveBraid, Patch, Rule, priors_0, priors_version
from lotus.timebase import day_start_ms
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance import governance_week
from lotus_assets.stages.runner import run_stage
from lotus_store.ledger.beliefs.priors import put_in_force, put_version

from .test_governance_week import MONDAY, STAGES

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("a whole day through its stages")]


def test_a_belief_is_credited_what_its_windows_paid_more_and_without_one_nothing_is_said(
    ctx: StageContext, days: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One braid on all windows of a detector: its credit is the sum over its block, from the log and without it."""
    braid = ActiveBraid("b" * 32, "micro", "micro_drift", 30, Rule(), Patch(-0.1, 1.05, (), 1.2), level=2)
    version = priors_version(ctx.branch, day_start_ms(days[0]), (braid,))
    put_version(ctx.sig, version, "2026-01-01", priors_0(ctx.branch))
    put_in_force(ctx.sig, version, "message")
    monkeypatch.setattr("lotus_assets.stages.governance.braid_week.drawn_block", lambda branch, day: 1)
    for stage in STAGES:
        assert not run_stage(ctx, stage, days[0]).failed_checks
    made = run_stage(ctx, governance_week.STAGE, MONDAY)
    rows = ctx.sig.execute("SELECT braid_id, windows, days, delta_sigma, delta_value, shapley FROM braid_credit")
    (name, windows, sampled, step, value, share) = rows.fetchall()[0]
    assert (name, sampled) == (braid.braid_id, 1)
    assert windows > 0 < step
    assert share == value
    again = run_stage(replace(ctx, force=True), governance_week.STAGE, MONDAY)
    assert again.content_hash == made.content_hash
    assert ctx.sig.execute("SELECT count(*) FROM braid_credit").fetchone() == (1,)
