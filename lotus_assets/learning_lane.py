"""The learning stages as one generator multi-asset: days outer, stages inner, in order, in one run.

A self-dependency on a stage does not order the days of a Dagster backfill (first stages of all days run first), and a
cycle over assets is refused; the belief edge between days is therefore drawn by the external asset `priors_in_force`
and kept by this loop. The body must stay a generator with yields only: `return` with a value would let the backfill
report success for a failed run. What no belief of the day is made from runs on a second thread (ADR 4), and
`active_priors` waits for all of it. No stage logic belongs here.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial

import dagster as dg

from lotus_assets.bodies import Recompute, blocked, run_context
from lotus_assets.catalogue import LEARNING_ASSETS
from lotus_assets.pages.daily_brief import with_brief
from lotus_assets.pages.metadata import belief_events, carried_over, day_events
from lotus_assets.partitions import DAILY
from lotus_assets.specs import check_specs, spec_of
from lotus_assets.stages.chain import LAST_STAGE, branch_lane, learning_days
from lotus_assets.stages.context import Stage, StageContext, StageResult
from lotus_assets.stages.day_frames import warmed_frames
from lotus_assets.stages.history import ACTS
from lotus_assets.stages.order import LEARNING_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_resources.dagster_internals import input_tags
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import LANE_POOL

DAYS_LEARNED = "days learned"
# stages that those on the way to the day's beliefs do not read
BESIDE = frozenset({
    "detector_audits", "meta_signals", "trigger_outcomes", "style_payoffs", "detector_dsi_attrib", "expert_training",
    "expert_stats", "module_numbers", "tr_trials", "tr_lessons", "tr_braids", "dm_evidence", "dm_knowledge",
    "detector_cards", "day_sketches", "drift_report",
})  # fmt: skip
# they begin when all before is done
READS_ALL = frozenset({LAST_STAGE, ACTS, "governance_week", "governance_day", "window_facts"})
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
    with run_context(context, config, lotus) as ctx, branch_lane(ctx), second_thread(ctx) as second:
        with_tape = learning_days(ctx, context.partition_keys)
        for day in sorted(context.partition_keys):
            if day not in with_tape:
                yield from carried_over(day, [stage.name for stage in stages])
                continue
            begins = partial(_begins, lotus, day, with_tape)
            tags_of = cache(
                partial(input_tags, context.instance)
            )  # an input of the day was recorded before its readers
            for result in day_results(ctx, stages, day, second, begins, _after(day, with_tape)):
                shown = with_brief(ctx.settings, result) if day == with_tape[-1] else result
                yield from day_events(context.instance, shown, tags_of)
                if result.failed_checks:
                    raise blocked(result)
                yield from belief_events(result)
        lotus.progress(DAYS_LEARNED, len(with_tape), len(with_tape))


def _begins(lotus: Lotus, day: str, days: Sequence[str], stage: Stage) -> None:
    lotus.progress(DAYS_LEARNED, days.index(day), len(days), f"{day} {stage.name}")


def _after(day: str, days: Sequence[str]) -> str | None:
    return next(iter(days[days.index(day) + 1 :]), None)


class SecondThread:
    """Runs what it is given, in that order, with a ledger connection of its own; after a failure it runs nothing."""

    def __init__(self, ctx: StageContext, pool: ThreadPoolExecutor) -> None:
        """Take a context that no other thread uses, and a pool of one thread."""
        self._ctx, self._pool = ctx, pool
        self._running: deque[Future[StageResult | None]] = deque()
        self._stopped = False

    def begin(self, stage: Stage, day: str) -> None:
        """Run a stage of a day after what was begun before."""
        self._running.append(self._pool.submit(self._run, stage, day))

    def read_ahead(self, day: str) -> None:
        """Read the frames of a day, with which its scoring begins; what is wrong with them is found there."""
        self._pool.submit(self._read, day)

    def results(self, wait: bool) -> Iterator[StageResult]:
        """Yield the results that are there, or of all that was begun; raises what a stage raised."""
        while self._running and (wait or self._running[0].done()):
            result = self._running.popleft().result()
            if result is not None:
                yield result

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True

    def _read(self, day: str) -> None:
        if not self._stopped:
            warmed_frames(self._ctx, day)

    def _run(self, stage: Stage, day: str) -> StageResult | None:
        if self._stopped:
            return None
        self._stopped = True
        result = run_stage(self._ctx, stage, day)
        self._stopped = bool(result.failed_checks)
        return result


@contextmanager
def second_thread(ctx: StageContext) -> Iterator[SecondThread]:
    """Give a thread for what runs beside the stages of `ctx`; whoever leaves early waits for the stage at work."""
    with ctx.databases.connect("sig", autocommit=True) as sig, ThreadPoolExecutor(1) as pool:
        second = SecondThread(replace(ctx, sig=sig), pool)
        try:
            yield second
        finally:
            second.stop()


def day_results(
    ctx: StageContext,
    stages: Sequence[Stage],
    day: str,
    second: SecondThread,
    begins: Callable[[Stage], None] = lambda _: None,
    day_after: str | None = None,
) -> Iterator[StageResult]:
    """Run the stages of a day in order, those of `BESIDE` on the second thread; a result comes after its inputs'.

    Whatever stands before a stage in the catalogue is done when it runs, but for `BESIDE`, of which it reads only what
    the same thread ran; the beliefs of the day and its acts wait for all. `begins` hears of every stage before it runs.
    Then the second thread reads the frames of `day_after`. Raises what a stage raises.
    """
    beside = [stage for stage in stages if stage.name in BESIDE]
    for stage in stages:
        if stage.name in READS_ALL:
            yield from second.results(wait=True)
        begins(stage)
        if stage.name not in BESIDE:
            yield run_stage(ctx, stage, day)
            yield from second.results(wait=False)
            continue
        second.begin(stage, day)
        if stage is beside[-1] and day_after is not None:
            second.read_ahead(day_after)
    yield from second.results(wait=True)
