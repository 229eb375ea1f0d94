"""Rows go to the log writer only after their lines went to the operating system."""

from types import SimpleNamespace
from typing import Any

from lotus_live.paper_desk import DeskRows
from lotus_live.row_buffer import RowBuffer


class World:
    """A recorder and a log writer that note their calls."""

    def __init__(self, keeps_events: bool = False) -> None:
        """Start with one closed segment."""
        self.done: list[Any] = []
        tape: Any = SimpleNamespace(
            closed=["segment"], recorder=SimpleNamespace(flush=lambda: self.done.append("flush"))
        )
        log: Any = SimpleNamespace(put=self.done.append)
        self.rows = RowBuffer(tape, log, keeps_events)


def test_lines_are_flushed_before_rows_are_put_and_each_row_is_put_once() -> None:
    world = World()
    world.rows.note("swap", 1, 5, {})
    world.rows.hand_over(9, DeskRows())
    first, batch = world.done
    assert first == "flush"
    assert (batch.until_ns, [entry.seq for entry in batch.log], batch.segments) == (9, [1], ("segment",))
    world.rows.hand_over(10, DeskRows())
    assert world.done[2:] == ["flush"], "nothing is left to put"


def test_only_a_replay_keeps_its_events() -> None:
    for keeps, wanted in ((True, ["window"]), (False, None)):
        world = World(keeps)
        world.rows.scored.append("window")  # type: ignore[arg-type]
        world.rows.hand_over(9, DeskRows())
        assert world.rows.kept == wanted
        assert world.rows.scored == []


def test_an_entry_of_now_is_another_each_time() -> None:
    world = World()
    for _ in range(2):
        world.rows.note_now("start", 9_000_000, {})
    world.rows.hand_over(9, DeskRows())
    one, two = world.done[1].log
    assert one.seq != two.seq
    assert (one.time_ms, one.kind) == (9, "start")
