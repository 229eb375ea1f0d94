"""The learning stages as one generator multi-asset: days outer, stages inner, in order, in one run.

A self-dependency on a stage does not order the days of a Dagster backfill (first stages of all days run first), and a
cycle over assets is refused; the belief edge between days is therefore drawn by the external asset `priors_in_force`
and kept by this loop. The body must stay a generator with yields only: `return` with a value would let the backfill
report success for a failed run. The audits of a day run on a thread beside the stages that do not read them (ADR 4).
No stage logic belongs here.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache, partial

import dagster as dg

from lotus_assets.bodies import Recompute, blocked, run_context
from lotus_assets.catalogue import LEARNING_ASSETS
from lotus_assets.pages.metadata import belief_events, carried_over, day_events
from lotus_assets.partitions import DAILY
from lotus_assets.specs import check_specs, spec_of
from lotus_assets.stages.chain import branch_lane, learning_days
from lotus_assets.stages.context import Stage, StageContext, StageResult
from lotus_assets.stages.order import LEARNING_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_assets.stages.scoring import detector_audits, detector_cards
from lotus_resources.dagster_internals import input_tags
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import LANE_POOL

DAYS_LEARNED = "days learned"
LaneEvent = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation


@dg.multi_asset(
    name="learning_lane",
    specs=[spec_of(entry, skippable=True) for entry in LEARNING_ASSETS],
    check_specs=[check for entry in LEARNING_ASSETS for check in check_specs(entry)],
    partitions_def=DAILY,
    can_subset=True,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=LANE_POOL,
)
def learning_lane(
    context: dg.AssetExecutionContext, config: Recompute, lotus: dg.ResourceParam[Lotus]
) -> Iterator[LaneEvent]:
    """Score, evaluate, learn and weave every selected day, oldest first, each on what the day before taught."""
    chosen = {key.to_user_string() for key in context.selected_asset_keys}
    stages = [stage for stage in LEARNING_STAGES if stage.name in chosen]
    gc.freeze()  # what is loaded by now stays: the collector would walk it again and again
    with run_context(context, config, lotus) as ctx, branch_lane(ctx), ThreadPoolExecutor(1) as aside:
        with_tape = learning_days(ctx, context.partition_keys)
        for day in sorted(context.partition_keys):
            if day not in with_tape:
                yield from carried_over(day, [stage.name for stage in stages])
                continue
            begins = partial(_begins, lotus, day, with_tape)
            tags_of = cache(
                partial(input_tags, context.instance)
            )  # an input of the day was recorded before its readers
            for result in day_results(ctx, stages, day, aside, begins):
                yield from day_events(context.instance, result, tags_of)
                if result.failed_checks:
                    raise blocked(result)
                yield from belief_events(result)
        lotus.progress(DAYS_LEARNED, len(with_tape), len(with_tape))


def _begins(lotus: Lotus, day: str, days: Sequence[str], stage: Stage) -> None:
    lotus.progress(DAYS_LEARNED, days.index(day), len(days), f"{day} {stage.name}")


def day_results(
    ctx: StageContext,
    stages: Sequence[Stage],
    day: str,
    aside: ThreadPoolExecutor,
    begins: Callable[[Stage], None] = lambda _: None,
) -> Iterator[StageResult]:
    """Run the stages of a day in order, the audits on `aside`: their result comes before the cards, or at the end.

    `begins` hears of every stage before it runs.

    Raises what a stage raises; whoever stops early leaves the thread to finish what it began, as `aside` waits for it.
    """
    audits: Future[StageResult] | None = None
    for stage in stages:
        begins(stage)
        if stage is detector_audits.STAGE:
            audits = aside.submit(_with_own_connection, ctx, stage, day)
            continue
        if stage is detector_cards.STAGE and audits is not None:
            yield audits.result()
            audits = None
        yield run_stage(ctx, stage, day)
    if audits is not None:
        yield audits.result()


def _with_own_connection(ctx: StageContext, stage: Stage, day: str) -> StageResult:
    with ctx.databases.connect("sig", autocommit=True) as sig:
        return run_stage(replace(ctx, sig=sig), stage, day)
