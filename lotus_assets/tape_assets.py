"""raw_tape, microtape_frames, dsi_annotations and sanity_table: ordinary daily assets that depend on tape alone.

They need no priors, so days run in parallel and ahead of the learning lane, and all branches of beliefs share them.
Bodies: run the stage, report it. No stage logic belongs here.
"""

from collections.abc import Iterator

import dagster as dg

from lotus_assets.bodies import Recompute, run_context
from lotus_assets.catalogue import TAPE_ASSETS, AssetEntry
from lotus_assets.pages.metadata import check_results, metadata_of, shown_before, version_of
from lotus_assets.partitions import DAILY
from lotus_assets.specs import check_specs, spec_of
from lotus_assets.stages.order import STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.lotus_resource import Lotus


def tape_asset(entry: AssetEntry) -> dg.AssetsDefinition:
    """Return the daily asset of one tape stage."""

    @dg.multi_asset(
        name=entry.name,
        specs=[spec_of(entry)],
        check_specs=check_specs(entry),
        partitions_def=DAILY,
    )
    def body(
        context: dg.AssetExecutionContext, config: Recompute, lotus: dg.ResourceParam[Lotus]
    ) -> Iterator[dg.MaterializeResult[None]]:
        with run_context(context, config, lotus) as ctx:
            result = run_stage(ctx, STAGES[entry.name], context.partition_key)
        yield dg.MaterializeResult(
            asset_key=entry.name,
            metadata=metadata_of(result, shown_before(context.instance, result)),
            data_version=version_of(result),
            check_results=check_results(result),
        )

    return body


def tape_assets() -> list[dg.AssetsDefinition]:
    """Return the assets in order."""
    return [tape_asset(entry) for entry in TAPE_ASSETS]
