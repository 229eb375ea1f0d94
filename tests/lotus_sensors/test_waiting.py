"""A hint, or a segment that closes, wakes a waiting tick at once."""

import select
import threading
from collections.abc import Callable, Iterator

import pytest

from lotus_resources.lotus_resource import Lotus
from lotus_sensors.closed_segments import (
    CHANNEL,
    segment_counts,
)
from lotus_sensors.waiting import read_or_wait
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.signals.segments import Segment, put_segment

from .ticks import close_segment


@pytest.fixture
def lotus(settings: Settings) -> Iterator[Lotus]:
    """The open home."""
    opened = Lotus.open(settings)
    yield opened
    opened.close()


class Waits:
    """`select` as a tick waits by it: something happens as soon as it waits, and what woke it is kept."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.meanwhile, self.woken = meanwhile, list[bool]()

    def select(self, readers: list[int], writers: list[int], broken: list[int], wait_s: float) -> object:
        thread = threading.Thread(target=self.meanwhile)
        thread.start()
        found = select.select(readers, writers, broken, wait_s)
        self.woken.append(found[0] == readers)
        thread.join()
        return found


def test_a_hint_wakes_a_waiting_tick(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[str] = []

    def insert() -> None:
        rows.append("row")
        with databases.connect("sig", autocommit=True) as other:
            other.execute("NOTIFY lotus_inbox")

    waits = Waits(insert)
    monkeypatch.setattr("lotus_sensors.waiting.select", waits)
    with databases.connect("sig", autocommit=True) as connection:
        assert read_or_wait([connection], "lotus_inbox", lambda: list(rows), wait_s=30.0) == ["row"]
    assert waits.woken == [True], "by the hint, and not because the wait was over"


def test_a_closing_segment_wakes_the_sensor(lotus: Lotus, monkeypatch: pytest.MonkeyPatch) -> None:
    def close() -> None:
        close_segment(lotus, "2026-01-05", "080000-0000")
        with lotus.databases.connect("sig") as writer:
            put_segment(writer, Segment("live", "2026-01-05/080000-0000.zst", "2026-01-05", "0" * 64, 1, 1, 1, 1))

    waits = Waits(close)
    monkeypatch.setattr("lotus_sensors.waiting.select", waits)
    with lotus.databases.connect("sig", autocommit=True) as connection:
        found = read_or_wait([connection], CHANNEL, lambda: segment_counts(lotus.tape.folder), wait_s=30.0)
    assert found == {"2026-01-05": 1}
    assert waits.woken == [True], "by the segment, and not because the wait was over"
