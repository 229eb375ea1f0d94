"""Days of cards."""

from collections.abc import Sequence

from lotus_assets.stages.context import StageContext, StageResult
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES
from lotus_assets.stages.runner import run_stage


def run(ctx: StageContext, days: Sequence[str]) -> list[StageResult]:
    found = []
    for day in days:
        for stage in (*TAPE_STAGES, *LEARNING_STAGES):
            result = run_stage(ctx, stage, day)
            assert not result.failed_checks, result.failed_checks
            if stage.name == "detector_cards":
                found.append(result)
    return found
