"""Jobs beside the assets: applying slow messages that wait in a module's inbox, and the watchdog between nightly runs.

The work is the Herald's; here it is only made visible in Dagster, with the belief it puts in force.
"""

import warnings
from contextlib import closing

import dagster as dg
from pydantic import Field

from lotus.modules.intents import Module
from lotus.timebase import day_of
from lotus_assets.bodies import stage_context
from lotus_assets.catalogue import LEARNING_ASSETS, TAPE_ASSETS
from lotus_assets.pages.metadata import in_force
from lotus_assets.stages.chain import BranchHeldError, branch_lane
from lotus_herald.carry import carry
from lotus_herald.consume import Consumer
from lotus_herald.identity import works
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.priors.sweep import watch_between_nights
from lotus_resources.lotus_resource import Lotus
from lotus_store.ledger.beliefs.priors import swaps

REPLICA = "dagster"  # the name under which the job is known while it runs


class Waiting(dg.Config):
    """The module whose inbox is to be applied, and the messages (`module/event_id`) for which a sensor asked."""

    module: str = Module.SIG.value
    asked_for: list[str] = Field(default_factory=list)


def apply_slow(lotus: Lotus, module: Module, event_time_ms: int) -> dict[str, int]:
    """Apply the slow messages that wait in a module's inbox on the home's branch; return counts by outcome."""
    keys, handlers = Keys(lotus.settings.keys_root), SLOW[module]
    me = works(module, REPLICA, "apply_inbox", handlers)
    with closing(lotus.databases.connect(module.value, autocommit=True)) as inbox, me.on_duty(inbox):
        consumer = Consumer(inbox, module, handlers, keys, lotus.settings.branch, own_only=True, on_applied=me.applied)
        return consumer.consume(event_time_ms)


@dg.op(description="Carry outboxes to inboxes, apply waiting slow messages, report the beliefs now in force.")
def apply_waiting(context: dg.OpExecutionContext, config: Waiting, lotus: dg.ResourceParam[Lotus]) -> None:
    """Consume the slow intents of one module's inbox on the home's branch and report every swap that is new.

    Whatever waits is applied, asked for or not; other intents are left to the daemon.
    """
    branch, module = lotus.settings.branch, Module(config.module)
    with lotus.databases.connect("sig") as sig:
        before = set(swaps(sig, branch))
    carry(lotus.databases, branch)
    counts = apply_slow(lotus, module, max((moment for moment, _ in before), default=0))
    with lotus.databases.connect("sig") as sig:
        fresh = [swap for swap in swaps(sig, branch) if swap not in before]
    for moment, version in fresh:
        for event in in_force(day_of(moment), version, {}):
            context.log_event(event)
    context.log.info("inbox of %s on %s: %s; %d new swaps", module, branch, counts, len(fresh))


@dg.op(description="End what has lived its time, is dead or lost its parents, by the event time of the daemon's log.")
def watch_over_beliefs(context: dg.OpExecutionContext, lotus: dg.ResourceParam[Lotus]) -> None:
    """Do what the watchdogs of all modules have to do now, unless a nightly run holds the branch: it does the same."""
    with stage_context(lotus) as ctx:
        try:
            with branch_lane(ctx, wait_s=0.0):
                for module in (Module.SIG, Module.DM, Module.TR):
                    done, why = watch_between_nights(lotus.databases, lotus.settings, module)
                    if done is not None and module is Module.SIG:
                        moment, version = done.priors.effective_from_ms, done.priors.priors_ver
                        acts = dg.MetadataValue.json([f"{a.kind} {a.braid_id}: {a.reason}" for a in done.alerts])
                        for event in in_force(day_of(moment), version, {"acts": acts}):
                            context.log_event(event)
                    context.log.info("watchdog of %s: %s", module, why)
        except BranchHeldError as held:
            context.log.info("watchdog: %s", held)


# the lane takes its days in one run, the tape's assets one by one; pressed for a day, both take that day
warnings.filterwarnings("ignore", "Asset job learn_one_day materializes assets with varying BackfillPolicies")
learn_one_day = dg.define_asset_job(
    "learn_one_day",
    selection=dg.AssetSelection.assets(*(entry.name for entry in (*TAPE_ASSETS, *LEARNING_ASSETS))),
    description="From one day of tape to what it teaches: pick a day and launch. What is committed is taken as it is.",
)


@dg.job(name="watchdog", executor_def=dg.in_process_executor)
def watchdog() -> None:
    """Watch over the beliefs between two nightly runs."""
    watch_over_beliefs()


@dg.job(name="apply_inbox", executor_def=dg.in_process_executor)
def apply_inbox() -> None:
    """Apply the slow messages that wait in a module's inbox."""
    apply_waiting()
