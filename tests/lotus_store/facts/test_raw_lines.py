"""The raw lines of a window: numbered as on the tape, across segments, and a note where they cannot be had."""

from pathlib import Path

import numpy as np
import pytest

from lotus.microtape.frames.spec import MICROTAPE_FRAMES
from lotus.timebase import day_start_ms
from lotus_store.config import Settings
from lotus_store.facts.raw_lines import SHOWN_LINES, tape_lines, window_lines
from lotus_store.lake import Lake
from lotus_store.tape.bulk import write_segment
from lotus_store.tape.store import TapeStore

DAY = "2026-01-05"
START = day_start_ms(DAY)
EVENT = {"asset": "BTC", "window_start_ms": START, "window_end_ms": START + 5_000}


def line(k: int) -> bytes:
    """Return line `k` of the day, what the venue sent at 10 Hz; line 7 is no text."""
    sent = b"\xff<script>" if k == 7 else b'{"k":%d}' % k
    return b"%d %s" % ((START + 100 * k) * 1_000_000, sent)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with 100 lines in two segments; frame k of 200 ms was closed by line 2 k + 3."""
    home = Settings(tmp_path / "home")
    folder = TapeStore(home.home, home.branch).folder / DAY
    folder.mkdir(parents=True)
    for number, (first, last) in enumerate(((0, 40), (40, 100))):
        write_segment(folder, home.branch, b"".join(line(k) + b"\n" for k in range(first, last)), number, first)
    rows = {c.name: np.zeros(40, MICROTAPE_FRAMES.numpy_dtype(c.name)) for c in MICROTAPE_FRAMES.columns}
    rows |= {"end_ms": START + 200 * np.arange(1, 41), "close_seq": 2 * np.arange(40) + 3}
    Lake(home.lake_root).write(MICROTAPE_FRAMES, f"tape.{home.branch}", DAY, rows, "BTC")
    return home


def test_lines_are_those_of_the_tape_across_segments(settings: Settings) -> None:
    lake = Lake(settings.lake_root)
    found = window_lines(settings, lake, settings.branch, EVENT)
    assert (found.frames, found.first_seq, found.last_seq, found.note) == (25, 3, 51, "")
    assert list(found.lines) == [line(k) for k in range(3, 52)]
    assert len(found.segments) == 2
    shown = tape_lines(settings, lake, settings.branch, EVENT)
    assert (shown["first_seq"], shown["last_seq"], len(shown["lines"])) == (3, 51, SHOWN_LINES + 1)
    early = window_lines(settings, lake, settings.branch, EVENT | {"window_end_ms": START + 600})
    assert b"\xff<script>" in early.lines[-1], "as it came"
    assert isinstance(
        tape_lines(settings, lake, settings.branch, EVENT | {"window_end_ms": START + 600})["lines"][-1], str
    )


def test_what_cannot_be_had_is_said(settings: Settings) -> None:
    lake = Lake(settings.lake_root)

    def note(**changed: object) -> str:
        found = window_lines(settings, lake, settings.branch, EVENT | changed)
        assert (list(found.lines), tape_lines(settings, lake, settings.branch, EVENT | changed)["lines"]) == ([], [])
        return found.note

    assert "microtape_frames" in note(asset="ETH")
    assert "no frames of this window" in note(window_start_ms=START + 60_000, window_end_ms=START + 65_000)
    (first, second) = sorted((TapeStore(settings.home, settings.branch).folder / DAY).glob("*.zst"))
    second.write_bytes(second.read_bytes()[:-1])
    assert "truncated" in note()
    for path in (first, second):
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
    assert "no longer" in note() or "no segment" in note()
