"""The days of a backfill in the order in which it takes them, as many at a time as have their tape read.

Much tape is read by a process of its own, or by the workers of a fleet, while the days before it are learned; little by
threads of this one, before anything is learned. Days whose tape is read already wait for nobody. What is done with the
days is not known here.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import takewhile

from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import StageResult
from lotus_assets.stages.runner import take_over
from lotus_assets.stages.tape.reading import DayRead, is_read, read_days
from lotus_assets.tape_process import TapeProcess, tape_process
from lotus_resources.lotus_resource import Lotus

DAYS_READ = "days of tape read"
OWN_BYTES = 8 << 20  # tape beyond the first day that is stored in fewer is read before another interpreter is up
Take = Callable[[bool], Sequence[DayRead]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Days one after the other whose tape is read; `stopped` is what a check kept from being committed, of one day."""

    days: tuple[str, ...]
    stopped: StageResult | None = None


@contextmanager
def batches_ahead(
    lotus: Lotus, days: Sequence[str], force: bool, workers: int, reader: TapeProcess | None = None
) -> Iterator[Iterator[Batch]]:
    """Read the tape of days that is not read (with `force`: of all); give the days by batches, in order.

    The next batch holds whatever was read meanwhile, and is waited for. It raises the error of a day that could not be
    read, in that day's turn; the batch with a `stopped` day is the last. A `reader` that was begun before reads all.
    """
    if reader is not None:
        begun = _Reading(lotus, days)
        reader.begins = begun.begins
        yield _in_order(days, days, lambda wait: [begun.ends(read) for read in reader.take(wait)])
        return
    with stage_context(lotus, force) as ctx:
        due = [day for day in days if not is_read(ctx, day)]
    reading = _Reading(lotus, days)
    for day in (day for day in days if day not in due):
        reading.ends(DayRead(day))
    if due and lotus.settings.fleet.slots and not force:
        from lotus_assets.fleet.fleet_reading import fleet_reading

        with fleet_reading(lotus, due, reading.begins) as fleet:
            yield _in_order(days, due, lambda wait: [reading.ends(read) for read in fleet.take(wait)])
        return
    if sum(meta.stored_bytes for day in due[1:] for meta in lotus.tape.segments(day)) < OWN_BYTES:
        reads = read_days(partial(stage_context, lotus, force), due, workers, reading.begins)
        yield _in_order(days, due, lambda _: [reading.ends(read) for read in reads])
        return
    with tape_process(lotus.settings, due, force, workers, reading.begins) as process:
        yield _in_order(days, due, lambda wait: [reading.ends(read) for read in process.take(wait)])


def _in_order(days: Sequence[str], due: Sequence[str], take: Take) -> Iterator[Batch]:
    left, came = list(days), dict[str, DayRead]()

    def is_ready(day: str) -> bool:
        return day not in due or (day in came and came[day].is_whole)

    while left:
        came |= {read.day: read for read in take(left[0] in due and left[0] not in came)}
        ready = tuple(takewhile(is_ready, left))
        if not ready and (error := came[left[0]].error) is not None:
            raise error
        yield Batch(ready) if ready else Batch((left[0],), came[left[0]].results[-1])
        del left[: max(1, len(ready))]


class _Reading:
    """How much of the tape of some days is read, told by several threads, and what they made."""

    def __init__(self, lotus: Lotus, days: Sequence[str]) -> None:
        self._lotus = lotus
        self._done, self._days = 0, len(days)

    def begins(self, day: str, stage: str) -> None:
        """Tell that a stage of a day begins."""
        self._tell(f"{day} {stage}")

    def ends(self, read: DayRead) -> DayRead:
        """Tell that a day is read, and keep its results for who reports them."""
        take_over(self._lotus.recent, read.results)
        self._done += 1
        self._tell(read.day)
        return read

    def _tell(self, at: str) -> None:
        self._lotus.progress(DAYS_READ, self._done, self._days, at)
