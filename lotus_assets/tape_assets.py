"""raw_tape, microtape_frames, dsi_annotations and sanity_table: daily assets that depend on tape alone.

They need no priors, so days run ahead of the learning lane, and all branches of beliefs share them. One generator
multi-asset runs any of them for one day or for many, days outer, stages inner: a stage takes what the one before it
holds of the day in memory, and one run records many days. No stage logic belongs here.
"""

from collections.abc import Iterator
from functools import cache, partial

import dagster as dg

from lotus_assets.bodies import Recompute, blocked, run_context
from lotus_assets.catalogue import TAPE_ASSETS
from lotus_assets.pages.metadata import day_events
from lotus_assets.partitions import DAILY
from lotus_assets.specs import check_specs, spec_of
from lotus_assets.stages.chain import learning_days
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.dagster_internals import input_tags
from lotus_resources.lotus_resource import Lotus

TapeEvent = dg.AssetMaterialization | dg.AssetCheckEvaluation


@dg.multi_asset(
    name="tape_lane",
    specs=[spec_of(entry, skippable=True) for entry in TAPE_ASSETS],
    check_specs=[check for entry in TAPE_ASSETS for check in check_specs(entry)],
    partitions_def=DAILY,
    can_subset=True,
)
def tape_lane(
    context: dg.AssetExecutionContext, config: Recompute, lotus: dg.ResourceParam[Lotus]
) -> Iterator[TapeEvent]:
    """Run the selected stages of every selected day; of a range, days without tape are left out."""
    chosen = {key.to_user_string() for key in context.selected_asset_keys}
    keys = sorted(context.partition_keys)
    with run_context(context, config, lotus) as ctx:
        for day in keys if len(keys) == 1 else learning_days(ctx, keys):
            tags_of = cache(partial(input_tags, context.instance))  # an input was recorded before its readers
            for stage in TAPE_STAGES:
                if stage.name in chosen:
                    result = run_stage(ctx, stage, day)
                    yield from day_events(context.instance, result, tags_of)
                    if result.failed_checks:
                        raise blocked(result)
