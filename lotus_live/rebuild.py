"""What a daemon reads back from its own tape when it starts: which days, and their lines in order.

The tape is the truth: whatever was made of it before a crash is made again, under the same names. No feeding here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lotus.timebase import DAY_MS, HOUR_MS, day_of, day_start_ms, next_day
from lotus_live.clocks import Arrival
from lotus_live.day_lane import WARMUP_MS
from lotus_store.tape.store import TapeStore

_MS = 1_000_000
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
    today = day_of(now_ns // _MS)
    settling = now_ns // _MS % DAY_MS < SETTLING_MS
    first = day_of(written_ns // _MS) if 0 < written_ns < last_ns else days[-1]
    needed = last_ns >= (day_start_ms(today) - WARMUP_MS) * _MS
    if needed:
        first = min(first, next_day(today, -1) if settling else today, days[-1])
    elif not 0 < written_ns < last_ns:
        return RebuildPlan(())
    return RebuildPlan(tuple(day for day in days if day >= first))


def tape_lines(store: TapeStore, plan: RebuildPlan) -> Iterator[Arrival]:
    """Yield the lines of the planned days in arrival order, numbered within their day (warm-up lines below 0)."""
    for day in plan.days:
        for piece in store.read_day_lines(day, warmup=day == plan.first_day):
            for seq, line in enumerate(piece.lines.split(b"\n")[:-1], piece.first_seq):
                stamp, _, raw = line.partition(b" ")
                yield Arrival(int(stamp), seq, raw)


def lines_recorded(store: TapeStore) -> int:
    """Return the number of lines in closed segments."""
    return sum(meta.lines for meta in store.all_segments())
