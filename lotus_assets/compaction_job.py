"""The weekly job that keeps old lesson atoms coarser, beside `lotus atoms compact`. Rules are `atoms_compaction`."""

import dagster as dg

from lotus_assets.atoms_compaction import compact_branch
from lotus_assets.bodies import stage_context
from lotus_resources.lotus_resource import Lotus


@dg.op(description="Old sums: one block a day beyond the search window, one a week after a year.")
def compact_old_atoms(context: dg.OpExecutionContext, lotus: dg.ResourceParam[Lotus]) -> None:
    """Compact the home's branch; a nightly run that holds it is waited for."""
    with stage_context(lotus) as ctx:
        context.log.info("%s", compact_branch(ctx))


@dg.job(name="compact_atoms", executor_def=dg.in_process_executor)
def compact_atoms() -> None:
    """Keep old lesson atoms coarser."""
    compact_old_atoms()
