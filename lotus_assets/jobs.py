"""Jobs beside the assets: applying what waits in the inbox of the alpha detector, and the watchdog between nights.

The work is the Herald's; here it is only made visible in Dagster, with the belief it puts in force.
"""

import dagster as dg

from lotus.modules.intents import Module
from lotus.timebase import day_of
from lotus_assets.bodies import stage_context
from lotus_assets.catalogue import EXTERNAL_BELIEF
from lotus_assets.stages.chain import BranchHeldError, branch_lane
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.prior_patch import PRIOR_HANDLERS
from lotus_herald.sweep import watch_between_nights
from lotus_resources.lotus_resource import Lotus
from lotus_store.ledger.priors import swaps


@dg.op(description="Carry outboxes to inboxes, apply waiting PRIOR_PATCH messages, report the beliefs now in force.")
def apply_waiting(context: dg.OpExecutionContext, lotus: dg.ResourceParam[Lotus]) -> None:
    """Consume the inbox of the home's branch and report every swap that is new."""
    branch = lotus.settings.branch
    with lotus.databases.connect("sig") as sig:
        before = set(swaps(sig, branch))
    carry(lotus.databases, branch)
    event_time_ms = max((moment for moment, _ in before), default=0)
    counts = consume(lotus.databases, Module.SIG, PRIOR_HANDLERS, Keys(lotus.settings.keys_root), event_time_ms, branch)
    with lotus.databases.connect("sig") as sig:
        fresh = [swap for swap in swaps(sig, branch) if swap not in before]
    for moment, version in fresh:
        context.log_event(
            dg.AssetMaterialization(EXTERNAL_BELIEF, partition=day_of(moment), metadata={"priors_ver": version})
        )
    context.log.info("inbox of %s: %s; %d new swaps", branch, counts, len(fresh))


@dg.op(description="End what has lived its time, is dead or lost its parents, by the event time of the daemon's log.")
def watch_over_beliefs(context: dg.OpExecutionContext, lotus: dg.ResourceParam[Lotus]) -> None:
    """Do what the watchdog has to do now, unless a night holds the branch: it does the same."""
    with stage_context(lotus) as ctx:
        try:
            with branch_lane(ctx, wait_s=0.0):
                done, why = watch_between_nights(lotus.databases, lotus.settings)
        except BranchHeldError as held:
            done, why = None, str(held)
    if done is not None:
        moment, version = done.priors.effective_from_ms, done.priors.priors_ver
        acts = dg.MetadataValue.json([f"{a.kind} {a.braid_id}: {a.reason}" for a in done.alerts])
        metadata: dict[str, dg.MetadataValue] = {"priors_ver": dg.MetadataValue.text(version), "acts": acts}
        context.log_event(dg.AssetMaterialization(EXTERNAL_BELIEF, partition=day_of(moment), metadata=metadata))
    context.log.info("watchdog: %s", why)


@dg.job(name="watchdog", executor_def=dg.in_process_executor)
def watchdog() -> None:
    """Watch over the beliefs between two nights."""
    watch_over_beliefs()


@dg.job(name="apply_inbox", executor_def=dg.in_process_executor)
def apply_inbox() -> None:
    """Apply what waits in the inbox of the alpha detector."""
    apply_waiting()
