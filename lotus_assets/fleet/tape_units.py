"""The job that a fleet runs to read tape: some days whole, their decoding with the events of blocks, or one block.

What is finished is not done again, so a run may be asked for any number of times. Its days are the run's configuration,
not partitions: Dagster's daily assets record the days afterwards, as they find them committed (ADR 4).
"""

import dagster as dg
from pydantic import Field

from lotus.errors import LotusError
from lotus_assets.bodies import blocked, stage_context
from lotus_assets.stages.blocks.block import blocks_of
from lotus_assets.stages.blocks.work import make_block, split_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.tape.reading import READING
from lotus_resources.lotus_resource import Lotus

WHOLE, SPLIT = "whole", "split"


class TapeUnit(dg.Config):
    """Days, and what of them: `whole`, `split`, or the number of a block."""

    days: list[str] = Field(min_length=1)
    what: str = WHOLE


@dg.op(description="Read days of tape: whole, split into events of blocks, or one block of symbols.")
def read_unit(context: dg.OpExecutionContext, config: TapeUnit, lotus: dg.ResourceParam[Lotus]) -> None:
    """Do the unit; an error that the same inputs would give again is not tried again."""
    try:
        with stage_context(lotus) as ctx:
            for day in config.days:
                read(ctx, day, config.what)
                context.log.info("%s %s", day, config.what)
    except LotusError as error:
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error


def read(ctx: StageContext, day: str, what: str) -> None:
    """Do one day of a unit; raises `Failure` for a check that does not pass."""
    if what not in (WHOLE, SPLIT):
        make_block(ctx, day, blocks_of(ctx)[int(what)])
        return
    stages = [run_stage(ctx, stage, day) for stage in READING] if what == WHOLE else split_day(ctx, day)
    for result in stages:
        if result.failed_checks:
            raise blocked(result)


@dg.job(name="tape_unit", executor_def=dg.in_process_executor)
def tape_unit() -> None:
    """Read days of tape."""
    read_unit()
