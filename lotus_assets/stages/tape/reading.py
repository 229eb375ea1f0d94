"""Read the tape of many days ahead of the learning: the tape stages of a day, days on some threads, told in order.

Whoever reads gives each thread a context of its own; where that is, in this process or in another, is not known here.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass

from lotus.errors import LotusError
from lotus_assets.stages.context import Stage, StageContext, StageResult
from lotus_assets.stages.runner import run_stage, stands
from lotus_assets.stages.tape import dsi_annotations, microtape_frames, microtape_prints, raw_tape, sanity_table

READING = (raw_tape.STAGE, microtape_prints.STAGE, microtape_frames.STAGE, dsi_annotations.STAGE, sanity_table.STAGE)
LATE = (sanity_table.STAGE,)  # of which no other stage reads
OpenContext = Callable[[], AbstractContextManager[StageContext]]


@dataclass(frozen=True, slots=True)
class DayRead:
    """What came of a day: the results of its stages, up to one that a check stopped, or the error that ended it.

    `is_late`: of those stages that a reader leaves for the end.
    """

    day: str
    results: tuple[StageResult, ...] = ()
    error: Exception | None = None
    is_late: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every stage is committed."""
        return self.error is None and not any(result.failed_checks for result in self.results)


def is_read(ctx: StageContext, day: str) -> bool:
    """Tell whether every stage of the tape of a day is committed from what is there now, as far as that can be read."""
    try:
        return all(stands(ctx, stage, day) for stage in READING)
    except LotusError:
        return False  # whoever reads the day meets the error in the day's turn


def read_days(
    opened: OpenContext,
    days: Sequence[str],
    workers: int,
    begins: Callable[[str, str], None],
    wait_for: Callable[[str], None] = lambda day: None,
    stages: Sequence[Stage] = READING,
) -> Iterator[DayRead]:
    """Yield what came of `stages` of each day, in order; the first that is not whole is the last.

    `begins` hears of the day and name of every stage before it runs, from the thread that runs it; `wait_for` returns
    when the tape has the day.
    """
    pool = ThreadPoolExecutor(workers)
    try:
        for coming in [pool.submit(_read, opened, day, begins, wait_for, stages) for day in days]:
            read = coming.result()
            yield read
            if not read.is_whole:
                return
    finally:
        pool.shutdown(cancel_futures=True)


def _read(
    opened: OpenContext,
    day: str,
    begins: Callable[[str, str], None],
    wait_for: Callable[[str], None],
    stages: Sequence[Stage],
) -> DayRead:
    results: list[StageResult] = []
    try:
        wait_for(day)
        with opened() as ctx:
            for stage in stages:
                begins(day, stage.name)
                results.append(run_stage(ctx, stage, day))
                if results[-1].failed_checks:
                    break
    except Exception as error:  # told to whoever waits for the day
        return DayRead(day, tuple(results), error)
    return DayRead(day, tuple(results))
