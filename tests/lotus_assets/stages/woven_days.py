"""Nights that weave planted lessons."""

from collections.abc import Sequence

from lotus.priors.types import IDENTITY, Literal, Patch, Rule
from lotus.weave.braid import Braid, Quality
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.history import ACTS
from lotus_assets.stages.runner import run_stage

NEEDED = {
    "raw_tape", "microtape_frames", "dsi_annotations", "expert_set", "signal_events", "signal_eval", "payoff_scores",
    "lesson_atoms", "lessons", "dr_crosscheck",
}  # fmt: skip


def run(ctx: StageContext, stages: Sequence[object], day: str) -> dict[str, str]:
    """Run stages of a day, in which no curator acts on any, and return their hashes."""
    ctx.sig.execute("DELETE FROM day_commits WHERE branch = %s AND stage = %s", (ctx.branch, ACTS))
    found = {}
    for stage in stages:
        result = run_stage(ctx, stage, day)  # type: ignore[arg-type]
        assert not result.failed_checks, result.failed_checks
        found[result.stage] = result.content_hash
    return found


def planted(ctx: StageContext, detector: str) -> Braid:
    return Braid(
        braid_id="planted", branch=ctx.branch, braid_type="micro", detector_id=detector, horizon_s=30,
        rule=Rule.of(Literal(0, 0, 3)), sign=1, lesson_id="l", grade="B", claim_bps=5.0, lcb_bps=2.0, ci95=(1.0, 9.0),
        support=100, quality=Quality(0.5, 0.0, 0.1, 0.1), target=Patch(-0.06, 1.03), patch=IDENTITY, delta_wanted=0.2,
        delta_realised=(0.0, 0.0, 0.0), state="proposed", reason="accepted lesson", effective_from_ms=0,
        expires_at_ms=2**52, members_sample=(),
    )  # fmt: skip
