"""A line is on the tape before it is scored, and one that breaks behind the decoder ends by itself."""

from types import SimpleNamespace
from typing import Any

import pytest

from lotus.errors import TapeError
from lotus_live.feed.clocks import Arrival
from lotus_live.line_taker import LineTaker
from lotus_live.reports.status import FailureCause, LiveCounts

LINE = Arrival(7, -1, b"line")


class Taker(LineTaker):
    """A taker without a pipeline: it notes what is done in which order."""

    def __init__(self, fault: Exception | None = None, full: bool = False) -> None:
        """Break with `fault` while it scores; `full` is the disk."""
        self.done: list[Any] = []
        self.fault, self.full = fault, full
        self.counts, self.trading, self.in_step, self.last_ns, self._handed = LiveCounts(), None, False, 0, 0
        self._context: Any = SimpleNamespace(ids={"run_id": "r"})
        self._tape: Any = SimpleNamespace(recorder=SimpleNamespace(line=self.record))

    def record(self, line: Arrival) -> int:
        """Take the line of the tape under number 40."""
        if self.full:
            raise TapeError("the disk is full", "room for a line")
        self.done.append("tape")
        return 40

    def hand_over(self) -> None:
        self.done.append("handed over")

    def _take_whole(self, recv_ns: int, seq: int, raw: bytes) -> None:
        self.done.append(seq)
        if self.fault is not None:
            raise self.fault


def test_the_recorder_has_a_line_before_it_is_scored_under_its_number() -> None:
    taker = Taker()
    taker.on_line(LINE)
    assert taker.done == ["tape", 40]
    taker.on_line(Arrival(8, 3, b"replayed"))
    assert taker.done[2:] == ["tape", 3]
    assert taker.counts.lines == 2


def test_a_line_that_no_disk_took_is_not_scored() -> None:
    taker = Taker(full=True)
    with pytest.raises(TapeError):
        taker.on_line(LINE)
    assert taker.done == []


def test_an_unforeseen_fault_ends_with_its_line_and_is_counted_and_a_known_one_is_raised() -> None:
    taker = Taker(RecursionError("unforeseen"))
    taker.on_line(LINE)
    assert (taker.last_ns, taker.counts.failures[FailureCause.LINES].count) == (7, 1)
    with pytest.raises(TapeError):
        Taker(TapeError("a", "b")).on_line(LINE)


def test_what_is_published_is_handed_over_at_once_where_a_desk_trades_but_for_a_replay_in_step() -> None:
    for in_step, wanted in ((False, ["tape", 40, "handed over"]), (True, ["tape", 40])):
        taker = Taker()
        taker.trading, taker.in_step, taker.counts.published = SimpleNamespace(), in_step, 1  # type: ignore[assignment]
        taker.on_line(LINE)
        assert taker.done == wanted
