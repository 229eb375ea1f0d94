"""Stages run day by day."""

from collections.abc import Sequence

from lotus_assets.stages.context import Stage, StageContext
from lotus_assets.stages.runner import run_stage


def run(ctx: StageContext, stages: Sequence[Stage], days: Sequence[str]) -> dict[str, str]:
    """Run stages day by day and return the content hashes."""
    found = {}
    for day in days:
        for stage in stages:
            result = run_stage(ctx, stage, day)
            assert not result.failed_checks, result.failed_checks
            found[f"{stage.name}[{day}]"] = result.content_hash
    return found
