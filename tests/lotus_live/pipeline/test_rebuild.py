"""What a daemon feeds again when it starts."""

from pathlib import Path

import pytest

from lotus.timebase import day_start_ms
from lotus_live.pipeline.rebuild import lines_recorded, rebuild_plan, tape_lines
from lotus_store.tape.store import TapeStore

D1, D2, D3 = "2026-03-03", "2026-03-04", "2026-03-05"


def at(day: str, hour: float) -> int:
    """Return a stamp in ns."""
    return (day_start_ms(day) + int(hour * 3_600_000)) * 1_000_000


@pytest.fixture
def store(tmp_path: Path) -> TapeStore:
    """A tape of three days: 10:00 and 23:00 of each of the first two, 01:00 and 09:00 of the third."""
    made = TapeStore(tmp_path, "t")
    with made.writer() as writer:
        for day, hours in ((D1, (10, 23)), (D2, (10, 23)), (D3, (1, 9))):
            for hour in hours:
                writer.append(at(day, hour), b'{"channel":"pong"}')
    return made


@pytest.mark.parametrize(
    ("now", "written", "days"),
    [
        ((D3, 9.5), (D3, 9), (D3,)),  # only today's state
        ((D3, 1.5), (D3, 1), (D2, D3)),  # probes of yesterday may be open
        ((D3, 9.5), (D1, 23), (D1, D2, D3)),  # the ledger stopped two days ago
        ((D3, 9.5), None, (D3,)),
        (("2026-03-06", 9), (D3, 9), ()),  # nothing of it matters any more
        (("2026-03-06", 9), (D2, 10), (D2, D3)),
    ],
)
def test_which_days_are_fed_again(
    store: TapeStore, now: tuple[str, float], written: tuple[str, float] | None, days: tuple[str, ...]
) -> None:
    assert rebuild_plan(store, at(*now), at(*written) if written else 0, False).days == days
    assert rebuild_plan(store, at(*now), 0, True).days == (D1, D2, D3)
    assert lines_recorded(store) == 6


def test_lines_come_with_the_warm_up_of_the_first_day(store: TapeStore) -> None:
    plan = rebuild_plan(store, at(D3, 9.5), at(D3, 9), False)
    assert [(line.recv_ns, line.seq) for line in tape_lines(store, plan)] == [
        (at(D2, 23), -1),
        (at(D3, 1), 0),
        (at(D3, 9), 1),
    ]
