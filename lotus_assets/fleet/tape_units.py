"""The job that a fleet runs to read tape: some days whole, their decoding with the events of blocks, or one block.

What is finished is not done again, so a run may be asked for any number of times. Its days are the run's configuration,
not partitions: Dagster's daily assets record the days afterwards, as they find them committed (ADR 4).
"""

import json
from dataclasses import replace

import dagster as dg
from pydantic import Field

from lotus.errors import ConfigError, LotusError
from lotus_assets.bodies import blocked, stage_context
from lotus_assets.stages.blocks.block import blocks_of
from lotus_assets.stages.blocks.work import make_block, split_day
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.tape.reading import READING
from lotus_resources.lotus_resource import Lotus
from lotus_store.branch_settings import read_branch_settings, write_branch_settings
from lotus_store.config import load_settings
from lotus_store.tape.store import TapeStore

WHOLE, SPLIT = "whole", "split"


class TapeUnit(dg.Config):
    """Days of a tape, and what of them: `whole`, `split`, or the number of a block.

    `sections`: what the branch was begun with (`branch_settings`), as JSON; `manifest`: the version that asks, to which
    the settings of the machine must come.
    """

    tape: str
    branch: str
    sections: str = "{}"
    manifest: str
    days: list[str] = Field(min_length=1)
    what: str = WHOLE


@dg.op(description="Read days of tape: whole, split into events of blocks, or one block of symbols.")
def read_unit(context: dg.OpExecutionContext, config: TapeUnit, lotus: dg.ResourceParam[Lotus]) -> None:
    """Do the unit; an error that the same inputs would give again is not tried again."""
    try:
        with stage_context(as_asked(lotus, config)) as ctx:
            for day in config.days:
                read(ctx, day, config.what)
                context.log.info("%s %s", day, config.what)
    except LotusError as error:
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error


def as_asked(lotus: Lotus, config: TapeUnit) -> Lotus:
    """Return the home of this machine on the tape and branch of a unit; raises `ConfigError` for other settings."""
    own = lotus.settings
    if (own.tape, own.branch, own.manifest.version) == (config.tape, config.branch, config.manifest):
        return lotus
    home, sections = own.home, json.loads(config.sections)
    if sections and not read_branch_settings(home, config.branch):
        write_branch_settings(home, config.branch, sections)
    settings = load_settings(home=home, config=own.config, tape=config.tape, branch=config.branch)
    if settings.manifest.version != config.manifest:
        cause = f"lotus.toml of this machine, or branches/{config.branch}.json of its home, is not the asking one's"
        raise ConfigError(f"settings of version {settings.manifest.version}", f"{config.manifest}, as asked", cause)
    settings = replace(settings, dsns=own.dsns, server_dsn=own.server_dsn, lake_url=own.lake_url)
    return replace(lotus, settings=settings, tape=TapeStore(home, config.tape))


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
