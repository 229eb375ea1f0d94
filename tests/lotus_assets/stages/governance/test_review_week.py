"""What braids were worth after people spoke about them: from stored windows, on a Monday, once."""

from dataclasses import replace

import pytest

from lotus.priors.types import IDENTITY, ActiveBraid, Patch, Rule, priors_0, priors_version
from lotus.timebase import day_start_ms, next_day
from lotus.weave.braid import Braid, Quality
from lotus.weave.night import BraidEvent
from lotus.weave.review import ReviewAct
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.governance import governance_week
from lotus_assets.stages.runner import run_stage
from lotus_store.ledger.beliefs.braids import write_night
from lotus_store.ledger.beliefs.priors import put_in_force, put_version
from lotus_store.ledger.beliefs.review_values import read_review_values, reviewers_judged
from lotus_store.ledger.beliefs.reviews import put_review, review_rows

from .test_governance_week import MONDAY, STAGES

pytestmark = [pytest.mark.warm("taped"), pytest.mark.process("a whole day through its stages")]
PATCH = Patch(-0.1, 1.05, (), 1.2)


def braid(name: str, detector: str, patch: Patch) -> Braid:
    return Braid(
        braid_id=name, branch="main", braid_type="micro", detector_id=detector, horizon_s=30, rule=Rule(), sign=1,
        lesson_id="l", grade="B", claim_bps=5.0, lcb_bps=2.0, ci95=(1.0, 9.0), support=100,
        quality=Quality(0.5, 0.0, 0.1, 0.1), target=PATCH, patch=patch, delta_wanted=0.2,
        delta_realised=(0.1, 0.1, 0.1), state="active" if patch == PATCH else "sunset", reason="x",
        effective_from_ms=0, expires_at_ms=2**52, members_sample=(),
    )  # fmt: skip


def test_an_approved_braid_is_valued_as_it_acts_and_a_rejected_one_as_it_would_have(
    ctx: StageContext, days: list[str]
) -> None:
    """One detector has two braids with one patch: what acts, and what was rejected. Others are moved by neither."""
    day, before = days[0], next_day(days[0], -1)
    acting, rejected = braid("a" * 32, "micro_drift", PATCH), braid("b" * 32, "micro_drift", IDENTITY)
    elsewhere = replace(acting, braid_id="c" * 32, detector_id="no_such_detector")
    board = [replace(b, branch=ctx.branch) for b in (acting, rejected, elsewhere)]
    write_night(
        ctx.sig, ctx.branch, before, board, [BraidEvent(b.braid_id, "none", b.state, "x", "", "") for b in board]
    )
    active = ActiveBraid("a" * 32, "micro", "micro_drift", 30, Rule(), PATCH)
    version = priors_version(ctx.branch, day_start_ms(day), (active,))
    put_version(ctx.sig, version, "2026-01-01", priors_0(ctx.branch))
    put_in_force(ctx.sig, version, "message")
    said = {
        "approved": ("approve", "a", before, 0.9), "rejected": ("reject", "b", before, 0.6),
        "elsewhere": ("approve", "c", before, None), "late": ("approve", "a", day, 0.9),
        "old": ("approve", "a", next_day(day, -31), 0.9), "frozen": ("freeze", "a", before, None),
    }  # fmt: skip
    for name, (kind, target, asof, sure) in said.items():
        act = ReviewAct(name, ctx.branch, asof, kind, target * 32, "ann", "")  # type: ignore[arg-type]
        put_review(ctx.sig, act, "m", confidence=sure)
    for stage in STAGES:
        assert not run_stage(ctx, stage, day).failed_checks
    made = run_stage(ctx, governance_week.STAGE, MONDAY)
    assert not made.failed_checks
    values = {v.act_id: v for v in read_review_values(ctx.sig, ctx.branch, "sig")}
    assert set(values) == {"approved", "rejected", "elsewhere"}
    assert values["elsewhere"].windows == values["elsewhere"].value_bps == 0
    assert values["approved"].windows > 0 < values["rejected"].windows
    assert {v.of_day for v in values.values()} == {day}
    assert values["approved"].value_bps * values["rejected"].value_bps > 0, "one patch twice: both help, or both hurt"
    again = run_stage(replace(ctx, force=True), governance_week.STAGE, MONDAY)
    assert again.content_hash == made.content_hash
    assert {v.act_id: v for v in read_review_values(ctx.sig, ctx.branch, "sig")} == values
    judged, _ = reviewers_judged(ctx.sig, ctx.branch, "sig", review_rows(ctx.sig, ctx.branch))
    assert [(one.act.act_id, one.right) for one in judged] == [("old", None)], "of the others 30 days are not over"
