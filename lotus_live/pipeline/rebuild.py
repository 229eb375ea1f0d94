"""What a daemon reads back from its own tape when it starts: which days, and their lines in order.

The tape is the truth: whatever was made of it before a crash is made again, under the same names. No feeding here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lotus.timebase import DAY_MS, HOUR_MS, NS_PER_MS, birth_ns, day_of, next_day
from lotus_live.feed.clocks import Arrival
from lotus_live.feed.tape_file import day_arrivals
from lotus_store.tape.store import TapeStore

SETTLING_MS = 2 * HOUR_MS  # after midnight, probes of the day before may still be open this long


@dataclass(frozen=True, slots=True)
class RebuildPlan:
    """Days to feed again; the first one with its warm-up. Empty: nothing on the tape matters any more."""

    days: tuple[str, ...]

    @property
    def first_day(self) -> str | None:
        """The first day whose windows are given out again."""
        return self.days[0] if self.days else None


def rebuild_plan(store: TapeStore, now_ns: int, written_ns: int, whole: bool) -> RebuildPlan:
    """Return what to feed again at `now_ns` when everything up to `written_ns` is in the ledger (0: nothing known).

    `whole` asks for the whole tape (a replay). Otherwise: the days whose state or open probes are still needed, and
    those that the ledger does not hold completely.
    """
    days = store.days()
    if whole or not days:
        return RebuildPlan(tuple(days))
    last_ns = max(meta.last_recv_ns for meta in store.segments(days[-1]))
    today = day_of(now_ns // NS_PER_MS)
    settling = now_ns // NS_PER_MS % DAY_MS < SETTLING_MS
    first = day_of(written_ns // NS_PER_MS) if 0 < written_ns < last_ns else days[-1]
    needed = last_ns >= birth_ns(today)
    if needed:
        first = min(first, next_day(today, -1) if settling else today, days[-1])
    elif not 0 < written_ns < last_ns:
        return RebuildPlan(())
    return RebuildPlan(tuple(day for day in days if day >= first))


def tape_lines(store: TapeStore, plan: RebuildPlan) -> Iterator[Arrival]:
    """Yield the lines of the planned days in arrival order, numbered within their day (warm-up lines below 0)."""
    for day in plan.days:
        yield from day_arrivals(store, day, warmup=day == plan.first_day)


def lines_recorded(store: TapeStore) -> int:
    """Return the number of lines in closed segments."""
    return sum(meta.lines for meta in store.all_segments())
