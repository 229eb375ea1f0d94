"""Backfill: materialise a range of days through Dagster, inside this process, on the persistent instance.

The tape of the days is read ahead, outside Dagster (`days_ahead`). As soon as some days are read one run records their
tape assets and one run of the learning lane learns them, oldest day first; then the days that were read meanwhile.
Everything appears in the Dagster UI. Killed anywhere and run again it ends in the same rows and hashes: committed
stages are skipped, the others are done again.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NoReturn

import dagster as dg

from lotus.errors import BeliefError, LotusError, TapeError
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_start_ms, days_between, next_day
from lotus_assets.bodies import FORCE_TAG, blocked, stage_context
from lotus_assets.catalogue import LEARNING_ASSETS, TAPE_ASSETS
from lotus_assets.days_ahead import Batch, batches_ahead
from lotus_assets.definitions import build_definitions
from lotus_assets.event_log_purge import NAME as PURGE
from lotus_assets.jobs import apply_slow
from lotus_assets.learning_lane import DAYS_LEARNED
from lotus_assets.stages.chain import committed_work, learning_days
from lotus_assets.stages.context import StageResult
from lotus_herald.carry import carry
from lotus_modules.handlers import SLOW
from lotus_resources.dagster_internals import job_of, range_tags
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import bury_dead_runs, instance, provision
from lotus_store.config import Settings
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.processes import own_tags

OPENING, BEGINNING, CARRYING = "opening ledgers and Dagster", "beginning to learn", "carrying messages to the modules"
QUIET: Mapping[str, object] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class BackfillSummary:
    """What a backfill left: its days with tape, committed stages by (day, stage), and where the time went."""

    branch: str
    days: tuple[str, ...]
    commits: Mapping[tuple[str, str], DayCommit] = field(repr=False)
    seconds: Mapping[str, float]

    def rows(self, stage: str) -> int:
        """Return the rows of a stage over all days."""
        return sum(commit.rows for (_, name), commit in self.commits.items() if name == stage)

    def notes(self, day: str, stage: str) -> Mapping[str, object]:
        """Return the notes of a committed stage."""
        notes: Mapping[str, object] = self.commits[day, stage].notes["notes"]
        return notes

    @property
    def hashes(self) -> dict[str, str]:
        """Content hashes by `stage[day]`."""
        return {f"{stage}[{day}]": commit.content_hash for (day, stage), commit in sorted(self.commits.items())}

    @property
    def priors_ver(self) -> str:
        """The version that the last day taught."""
        return str(self.notes(self.days[-1], "active_priors")["priors_ver"])


def backfill(
    settings: Settings,
    first: str,
    last: str,
    progress: Steps = untold,
    *,
    force: bool = False,
    workers: int = 2,
) -> BackfillSummary:
    """Materialise every stage of the days `first` to `last` that have tape, on the branch of `settings`.

    Raises `TapeError` when no day has tape and the stage's own error when one fails; finished days stay committed.
    """
    clock = _Clock()
    progress(OPENING, 0)
    lotus = Lotus.open(settings, progress)
    try:
        with stage_context(lotus) as ctx:
            days = learning_days(ctx, days_between(first, last))
        if not days:
            raise TapeError(f"tape {settings.tape} has no day from {first} to {last}", "recorded or imported tape")
        with batches_ahead(lotus, days, force, workers) as batches:
            environment, learned = provision(settings, lotus.databases), _Learned(progress, len(days))
            with instance(environment) as opened:
                bury_dead_runs(opened)
                repository = build_definitions(replace(lotus, progress=learned)).get_repository_def()
                runner = _Runner(opened, repository, own_tags())
                clock.ends("open")
                _walk(runner, batches, force, learned, clock)
                progress(CARRYING, 0)
                _tell_modules(lotus, days[-1])
                runner.run([PURGE], {})
        with stage_context(lotus) as ctx:
            commits = committed_work(ctx, days)
        clock.ends("learning")
    finally:
        lotus.close()
    return BackfillSummary(settings.branch, tuple(days), commits, clock.seconds)


class _Clock:
    """The wall time that parts took, each from the end of the one before it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def ends(self, part: str) -> None:
        """Add the time since the last end to a part."""
        now = time.perf_counter()
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now


class _Learned:
    """The steps of several runs of the learning lane, told as those of one."""

    def __init__(self, progress: Steps, days: int) -> None:
        self.before = 0  # days of the runs that are over
        self._progress, self._days = progress, days

    def __call__(self, work: str, done: float | None = None, total: float = 0.0, at: str = "") -> None:
        """Hear how far a run is."""
        if work == DAYS_LEARNED and done is not None:
            done, total = self.before + done, self._days
        self._progress(work, done, total, at)


def _walk(runner: "_Runner", batches: Iterator[Batch], force: bool, learned: _Learned, clock: _Clock) -> None:
    """Record and learn the days of every batch; Dagster finds the stages of their tape done.

    Dagster runs in this thread only: two in-process runs at once deadlock in its logging set-up. A run also takes the
    days without tape since the batch before it.
    """
    first, tags = "", {FORCE_TAG: str(force).lower()}
    for batch in batches:
        span = range_tags(first or batch.days[0], batch.days[-1])
        if batch.stopped is not None:
            _record_stopped(runner, span | tags, batch.stopped)
        runner.run([entry.name for entry in TAPE_ASSETS], span | {FORCE_TAG: "false"})
        clock.ends("tape")
        if not first:
            learned(BEGINNING, 0)
        runner.run([entry.name for entry in LEARNING_ASSETS], span | tags)
        learned.before += len(batch.days)
        clock.ends("learning")
        first = next_day(batch.days[-1])


def _record_stopped(runner: "_Runner", tags: Mapping[str, str], stopped: StageResult) -> NoReturn:
    """Let Dagster find, and record, the check that does not pass; raise its error."""
    run = ""
    try:
        runner.run([entry.name for entry in TAPE_ASSETS], tags)
    except LotusError as error:
        run = error.cause
    raise LotusError(str(blocked(stopped).description), "every blocking check to pass", run)


def _tell_modules(lotus: Lotus, last: str) -> None:
    """Carry what the days said, and let every module apply it: nothing is left to a sensor."""
    carry(lotus.databases, lotus.settings.branch)
    for module in SLOW:
        apply_slow(lotus, module, day_start_ms(next_day(last)))


@dataclass(frozen=True, slots=True)
class _Runner:
    """Runs a selection of assets in this process and turns a failed run into its error."""

    opened: dg.DagsterInstance
    repository: dg.RepositoryDefinition
    tags: Mapping[str, str]

    def run(self, names: Sequence[str], tags: Mapping[str, str]) -> None:
        """Run the named assets, for the range in `tags` where they have partitions; Ctrl-C in it is the caller's."""
        keys = [dg.AssetKey(name) for name in names]
        job = job_of(self.repository, keys)
        if job is None:
            raise BeliefError(f"no job covers {', '.join(names)}", "assets with one partition scheme")
        try:
            result = job.execute_in_process(
                instance=self.opened,
                asset_selection=keys,
                tags={**self.tags, **tags},
                run_config=QUIET,
                raise_on_error=False,
            )
        except dg.DagsterExecutionInterruptedError as error:
            raise KeyboardInterrupt from error
        if any(_is_interrupt(event) for event in result.all_events):
            raise KeyboardInterrupt
        if not result.success:
            raise LotusError(_failure(result), "every stage", f"run {result.run_id} in the Dagster UI has the trace")


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    """Tell whether a step failed because Dagster took Ctrl-C for itself."""
    error = event.step_failure_data.error if event.is_step_failure else None
    while error is not None and error.cls_name != dg.DagsterExecutionInterruptedError.__name__:
        error = error.cause
    return error is not None


def _failure(result: dg.ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            data = event.step_failure_data.user_failure_data
            if data is not None and data.description:
                return str(data.description)
            while error is not None and error.cause is not None:
                error = error.cause
            return error.to_string() if error is not None else str(event.message)
    return "the run failed without a failed step"
