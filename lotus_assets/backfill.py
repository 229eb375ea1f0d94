"""Backfill: materialise a range of days through Dagster, inside this process, on the persistent instance.

The tape of the days is read ahead, outside Dagster (`days_ahead`). As soon as some days are read one run records their
tape assets and one run of the learning lane learns them, oldest day first; then the days that were read meanwhile.
Everything appears in the Dagster UI. Killed anywhere and run again it ends in the same rows and hashes: committed
stages are skipped, the others are done again. It may stop after a day and go on later (`backfilling`).
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn

import dagster as dg

from lotus.errors import BeliefError, LotusError, TapeError
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_start_ms, days_between, next_day
from lotus_assets.bodies import FORCE_TAG, blocked, failure_words, stage_context
from lotus_assets.breeding.forward import NAME as FORWARD
from lotus_assets.catalogue import LEARNING_ASSETS, TAPE_ASSETS
from lotus_assets.days_ahead import Batch, batches_ahead
from lotus_assets.definitions import build_definitions
from lotus_assets.event_log_purge import NAME as PURGE
from lotus_assets.jobs import apply_slow
from lotus_assets.learning_lane import DAYS_LEARNED
from lotus_assets.stages.chain import committed_work, learning_days
from lotus_assets.stages.context import StageResult
from lotus_assets.stages.runner import take_over
from lotus_assets.stages.tape.reading import LATE
from lotus_assets.tape_process import TapeProcess
from lotus_herald.carry import carry
from lotus_modules.handlers import SLOW
from lotus_resources.dagster_internals import job_of, range_tags
from lotus_resources.lotus_resource import Lotus
from lotus_resources.provision import bury_dead_runs, instance, provision
from lotus_store.config import Settings
from lotus_store.ledger.day_commits import DayCommit
from lotus_store.processes import own_tags

SCORING = ("expert_set", "signal_events")  # what a daemon's tables of a day come from
LATE_ASSETS = tuple(stage.name for stage in LATE)  # a reader that began before all else leaves them for the end
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
    with backfilling(settings, first, last, progress, force=force, workers=workers) as walk:
        return walk.to(last)


@contextmanager
def backfilling(
    settings: Settings,
    first: str,
    last: str,
    progress: Steps = untold,
    *,
    force: bool = False,
    workers: int = 2,
    reader: TapeProcess | None = None,
) -> Iterator["Walk"]:
    """Give the walk over days that is a backfill; with a `reader`, which was begun before, over the days that it reads.

    Raises as `backfill`.
    """
    clock = _Clock()
    progress(OPENING, 0)
    lotus = Lotus.open(settings, progress)
    try:
        with stage_context(lotus) as ctx:
            days = reader.days if reader else tuple(learning_days(ctx, days_between(first, last)))
        if not days:
            raise TapeError(f"tape {settings.tape} has no day from {first} to {last}", "recorded or imported tape")
        with batches_ahead(lotus, days, force, workers, reader) as batches:
            environment, learned = provision(settings, lotus.databases), _Learned(progress, len(days))
            with instance(environment) as opened:
                bury_dead_runs(opened)
                repository = build_definitions(replace(lotus, progress=learned)).get_repository_def()
                runner = _Runner(opened, repository, own_tags())
                clock.ends("open")
                yield Walk(lotus, days, runner, batches, force, learned, clock, reader)
    finally:
        lotus.close()


class _Clock:
    """The wall time that parts took, each from the end of the one before it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.perf_counter()

    def goes_on(self) -> None:
        """Leave out the time since the last end."""
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


@dataclass(slots=True)
class Walk:
    """A backfill under way: it records and learns days in order, as far as it is asked to go.

    Dagster finds the stages of their tape done. It runs in this thread only: two in-process runs at once deadlock in
    its logging set-up. A run also takes the days without tape since the batch before it.
    """

    lotus: Lotus
    days: tuple[str, ...]
    runner: "_Runner"
    batches: Iterator[Batch]
    force: bool
    learned: _Learned
    clock: _Clock
    reader: TapeProcess | None = None
    _rest: Batch | None = None
    _first: str = ""

    def to(self, last: str) -> BackfillSummary:
        """Learn all days up to `last`, tell the modules, and return what all days so far left."""
        days = tuple(day for day in self.days if day <= last)
        self.clock.goes_on()
        while self.learned.before < len(days):
            self._learn(self._batch_to(last))
        if self.reader is not None and days == self.days:
            self._record_late(self.reader)
        self.lotus.progress(CARRYING, 0)
        _tell_modules(self.lotus, days[-1])
        self.runner.run([FORWARD, PURGE], {})
        with stage_context(self.lotus) as ctx:
            commits = committed_work(ctx, days)
        self.clock.ends("learning")
        return BackfillSummary(self.lotus.settings.branch, days, commits, dict(self.clock.seconds))

    def score(self, day: str) -> None:
        """Record and score the day after those that were learned, and learn nothing from it yet."""
        self.clock.goes_on()
        batch, later = self._batch_to(day), self._rest
        self._run(batch, SCORING)
        self._rest = replace(batch, days=batch.days + (later.days if later else ()))

    def _batch_to(self, last: str) -> Batch:
        """Return the next days whose tape is read, at most up to `last`, of which one at least is not learned."""
        batch = self._rest or next(self.batches)
        taken = tuple(day for day in batch.days if day <= last)
        later = batch.days[len(taken) :]
        self._rest = replace(batch, days=later) if later else None
        return replace(batch, days=taken)

    def _learn(self, batch: Batch) -> None:
        self._run(batch, tuple(entry.name for entry in LEARNING_ASSETS))
        self.learned.before += len(batch.days)
        self._first = next_day(batch.days[-1])

    def _run(self, batch: Batch, assets: Sequence[str]) -> None:
        """Record the tape of a batch, and run assets of the learning lane on it."""
        tags = {FORCE_TAG: str(self.force).lower()}
        span = range_tags(self._first or batch.days[0], batch.days[-1])
        if batch.stopped is not None:
            _record_stopped(self.runner, span | tags, batch.stopped)
        late = () if self.reader is None else LATE_ASSETS
        self.runner.run([entry.name for entry in TAPE_ASSETS if entry.name not in late], span | {FORCE_TAG: "false"})
        self.clock.ends("tape")
        if not self._first:
            self.learned(BEGINNING, 0)
        self.runner.run(assets, span | tags)
        self.clock.ends("learning")

    def _record_late(self, reader: TapeProcess) -> None:
        """Record what the reader left for the end; a check that stopped a day's is met again."""
        for read in reader.take_late():
            if read.error is not None:
                raise read.error
            take_over(self.lotus.recent, read.results)
        self.runner.run(LATE_ASSETS, range_tags(self.days[0], self.days[-1]) | {FORCE_TAG: "false"})
        self.reader = None
        self.clock.ends("tape")


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
            words = failure_words(result.all_events) or "the run failed without a failed step"
            raise LotusError(words, "every stage", f"run {result.run_id} in the Dagster UI has the trace")


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    """Tell whether a step failed because Dagster took Ctrl-C for itself."""
    error = event.step_failure_data.error if event.is_step_failure else None
    while error is not None and error.cls_name != dg.DagsterExecutionInterruptedError.__name__:
        error = error.cause
    return error is not None
