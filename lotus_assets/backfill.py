"""Backfill: materialise a range of days through Dagster, inside this process, on the persistent instance.

Tape assets first, days in parallel (their kernels release the interpreter lock); then the learning lane over the whole
range in one run, oldest day first. Everything appears in the Dagster UI. Killed anywhere and run again it ends in the
same rows and hashes: committed stages are skipped, the others are done again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import dagster as dg

from lotus.errors import BeliefError, LotusError, TapeError
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_start_ms, days_between, next_day
from lotus_assets.bodies import FORCE_TAG, blocked, stage_context
from lotus_assets.catalogue import LEARNING_ASSETS, TAPE_ASSETS
from lotus_assets.definitions import build_definitions
from lotus_assets.event_log_purge import NAME as PURGE
from lotus_assets.jobs import apply_slow
from lotus_assets.stages.chain import committed_work, learning_days
from lotus_assets.stages.context import Stage, StageResult
from lotus_assets.stages.order import TAPE_STAGES
from lotus_assets.stages.runner import run_stage
from lotus_herald.carry import carry
from lotus_modules.handlers import SLOW
from lotus_resources.dagster_internals import job_of, range_tags
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import bury_dead_runs, instance, provision
from lotus_store.config import Settings
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.processes import own_tags

OPENING, BEGINNING, CARRYING = "opening ledgers and Dagster", "beginning to learn", "carrying messages to the modules"
LINES_READ = "lines of tape read"
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
    began = time.perf_counter()
    progress(OPENING, 0)
    lotus = Lotus.open(settings, progress)
    try:
        environment = provision(settings, lotus.databases)
        with stage_context(lotus) as ctx:
            days = learning_days(ctx, days_between(first, last))
        if not days:
            raise TapeError(f"tape {settings.tape} has no day from {first} to {last}", "recorded or imported tape")
        tags = {**own_tags(), FORCE_TAG: str(force).lower()}
        with instance(environment) as opened:
            bury_dead_runs(opened)
            runner = _Runner(opened, build_definitions(lotus).get_repository_def(), tags)
            opened_at = time.perf_counter()
            _read_tape(runner, partial(_compute_tape, lotus, force), days, workers, _Reading(lotus, days))
            read_at = time.perf_counter()
            progress(BEGINNING, 0)
            runner.run([entry.name for entry in LEARNING_ASSETS], range_tags(days[0], days[-1]))
            progress(CARRYING, 0)
            _tell_modules(lotus, days[-1])
            runner.run([PURGE], {})
        ended = time.perf_counter()
        with stage_context(lotus) as ctx:
            commits = committed_work(ctx, days)
    finally:
        lotus.close()
    seconds = {"open": opened_at - began, "tape": read_at - opened_at, "learning": ended - read_at}
    return BackfillSummary(settings.branch, tuple(days), commits, seconds)


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

    def run(self, names: Sequence[str], tags: Mapping[str, str], partition: str | None = None) -> None:
        """Run the named assets for one partition or for the range in `tags`; Ctrl-C in it is the caller's."""
        keys = [dg.AssetKey(name) for name in names]
        job = job_of(self.repository, keys)
        if job is None:
            raise BeliefError(f"no job covers {', '.join(names)}", "assets with one partition scheme")
        try:
            result = job.execute_in_process(
                instance=self.opened,
                asset_selection=keys,
                partition_key=partition,
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


class _Reading:
    """How much of the tape of some days is read, told by several threads."""

    def __init__(self, lotus: Lotus, days: Sequence[str]) -> None:
        self._progress = lotus.progress
        self._lines = {day: sum(meta.lines for meta in lotus.tape.segments(day)) for day in days}
        self._done = 0

    def begins(self, stage: Stage, day: str) -> None:
        """Tell that a stage of a day begins."""
        self._progress(LINES_READ, self._done, sum(self._lines.values()), f"{day} {stage.name}")

    def ends(self, day: str) -> None:
        """Tell that a day is read."""
        self._done += self._lines[day]
        self._progress(LINES_READ, self._done, sum(self._lines.values()), day)


def _read_tape(
    runner: _Runner,
    compute: Callable[[str, Callable[[Stage, str], None]], StageResult | None],
    days: Sequence[str],
    workers: int,
    reading: _Reading,
) -> None:
    """Run `compute` (the tape stages) of all days on `workers` threads; Dagster then records each, finding it done.

    Dagster itself runs in this thread only: two in-process runs at once deadlock in its logging set-up.
    """
    names = [entry.name for entry in TAPE_ASSETS]
    with ThreadPoolExecutor(workers) as pool:
        for day, done in [(day, pool.submit(compute, day, reading.begins)) for day in days]:
            stopped = done.result()
            try:
                runner.run(names, {FORCE_TAG: "false"}, day)
            except LotusError as error:
                if stopped is None:
                    raise
                raise LotusError(
                    str(blocked(stopped).description), "every blocking check to pass", error.cause
                ) from error
            reading.ends(day)


def _compute_tape(lotus: Lotus, force: bool, day: str, begins: Callable[[Stage, str], None]) -> StageResult | None:
    """Run the tape stages of a day; return the one that a failed check stopped (Dagster's run finds it again)."""
    with stage_context(lotus, force) as ctx:
        for stage in TAPE_STAGES:
            begins(stage, day)
            result = run_stage(ctx, stage, day)
            if result.failed_checks:
                return result
    return None


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
