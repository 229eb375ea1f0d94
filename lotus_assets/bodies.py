"""What bodies of assets share: the stage context of a run, Lotus errors as failures of Dagster, and their words."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import dagster as dg
from pydantic import Field

from lotus.errors import LotusError
from lotus_assets.stages.context import StageContext, StageResult
from lotus_resources.lotus_resource import Lotus

FORCE_TAG = "lotus/force"


class Recompute(dg.Config):
    """How a run treats what is committed already."""

    force: bool = Field(default=False, description="Compute again what is committed from equal inputs and equal code.")


@contextmanager
def stage_context(lotus: Lotus, force: bool = False) -> Iterator[StageContext]:
    """Give the stages of one run their context, with a ledger connection of its own."""
    with lotus.databases.connect("sig", autocommit=True) as sig:
        yield StageContext(
            settings=lotus.settings,
            lake=lotus.lake,
            databases=lotus.databases,
            tape=lotus.tape,
            manifest=lotus.settings.manifest,
            sig=sig,
            recent=lotus.recent,
            force=force,
        )


@contextmanager
def run_context(context: dg.AssetExecutionContext, config: Recompute, lotus: Lotus) -> Iterator[StageContext]:
    """Give a Dagster run its stage context; a `LotusError` becomes a failure that is not retried.

    The same inputs would fail again. `config` or the run tag `lotus/force` computes committed work again.
    """
    try:
        with stage_context(lotus, config.force or context.run.tags.get(FORCE_TAG) == "true") as ctx:
            yield ctx
    except LotusError as error:
        raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error


def blocked(result: StageResult) -> dg.Failure:
    """Return the failure of a stage whose blocking check did not pass; nothing of it was committed."""
    check = result.failed_checks[0]
    return dg.Failure(f"{result.stage}[{result.day}] check {check.name}: {check.text}", allow_retries=False)


def failure_words(events: Iterable[dg.DagsterEvent]) -> str:
    """Return what the first failed step of a run says, "" where none failed: that of a check names the check."""
    for event in events:
        if event.is_step_failure:
            error, data = event.step_failure_data.error, event.step_failure_data.user_failure_data
            if data is not None and data.description:
                return str(data.description)
            while error is not None and error.cause is not None:
                error = error.cause
            return error.to_string() if error is not None else str(event.message)
    return ""
